// Every bound of the history, with its unit in its name.
#ifndef ASSAY_BROKER_HISTORY_LIMITS_H_
#define ASSAY_BROKER_HISTORY_LIMITS_H_

#include <cstddef>
#include <cstdint>

#include "assay/ids.h"

namespace assay::history {

// Larger results are in the journal only, and gone with their segment; of those history has the
// size.
inline constexpr std::size_t kResultBytesKeptMax = 1 << 20;

inline constexpr std::size_t kPageRowsMax = 1000;
// An id is 10 characters of time and 16 of chance: from here on a prefix fits few tasks.
inline constexpr std::size_t kNarrowPrefixLength = 10;

// What waits between the broker's loop and the writer. Beyond either, the writer reads the journal.
inline constexpr std::size_t kOfferedBytesMax = 16 << 20;
inline constexpr std::size_t kOfferedRecordsMax = 128 << 10;

// One transaction: large, because a task that is submitted and ends within one costs one insert,
// but not so large that its rows in memory are many.
inline constexpr std::size_t kTransactionRecordsMax = 100'000;
inline constexpr std::size_t kTransactionTasksMax = 24'000;
inline constexpr std::size_t kTransactionResultBytesMax = 16 << 20;

inline constexpr std::size_t kRetentionStepTasks = 500;
inline constexpr std::size_t kRetentionStepEvents = 5000;

}  // namespace assay::history

#endif  // ASSAY_BROKER_HISTORY_LIMITS_H_
