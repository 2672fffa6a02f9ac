// A number over all that a producer said of a task: the same task submitted again has the same,
// another content under the same id (all but certainly) another. It is in the journal: the way it
// is computed never changes.
#ifndef ASSAY_BROKER_CORE_FINGERPRINT_H_
#define ASSAY_BROKER_CORE_FINGERPRINT_H_

#include <cstdint>
#include <string_view>

#include "assay/task.h"

namespace assay::core {

// Of the body alone: tells the bodies of one owner apart (quarantine.h), so 32 bits are enough.
std::uint32_t body_hash_of(std::string_view body);

std::uint64_t fingerprint(const TaskSpec& task);

}  // namespace assay::core

#endif  // ASSAY_BROKER_CORE_FINGERPRINT_H_
