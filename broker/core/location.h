// Where a blob (a task's body or result) lies in the journal. The core stores it and hands it back;
// only the journal knows what the numbers mean. Must not know: anything.
#ifndef ASSAY_BROKER_CORE_LOCATION_H_
#define ASSAY_BROKER_CORE_LOCATION_H_

#include <cstdint>

namespace assay::core {

// 12 bytes, because memory holds one for every queued task.
struct Location {
  std::uint32_t segment = 0;  // 0: nowhere; segments are numbered from 1
  std::uint32_t offset = 0;   // of the blob's first byte in its segment
  std::uint32_t length = 0;   // bytes; 0 for an entry without a blob

  friend bool operator==(const Location&, const Location&) = default;
};
static_assert(sizeof(Location) == 12);

}  // namespace assay::core

#endif  // ASSAY_BROKER_CORE_LOCATION_H_
