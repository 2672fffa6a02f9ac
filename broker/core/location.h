// Where the journal keeps a task's body or result. The core stores it and never looks inside.
#ifndef ASSAY_BROKER_CORE_LOCATION_H_
#define ASSAY_BROKER_CORE_LOCATION_H_

#include <cstdint>

namespace assay::core {

struct Location {
  std::uint32_t segment = 0;  // segments count from 1; 0 is nowhere
  std::uint32_t offset = 0;   // of the blob's first byte in that segment
  std::uint32_t length = 0;   // bytes

  bool is_nowhere() const { return segment == 0; }
  friend bool operator==(const Location&, const Location&) = default;
};

}  // namespace assay::core

#endif  // ASSAY_BROKER_CORE_LOCATION_H_
