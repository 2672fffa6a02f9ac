// A broker's core in a random life: clients submit, cancel and use ids again, workers finish, fail,
// fall silent and come back. What comes out are the batches that its journal would hold.
#ifndef ASSAY_TESTS_UNIT_HISTORY_RECORD_STREAM_H_
#define ASSAY_TESTS_UNIT_HISTORY_RECORD_STREAM_H_

#include <cstdint>
#include <string>
#include <vector>

#include "broker/core/record.h"
#include "broker/core/state.h"
#include "broker/history/journal_reader.h"
#include "broker/journal/journal.h"

namespace assay::history::testing {

struct StoredRecord {
  core::Record record;
  std::string head;
  std::string blob;
};

struct StoredBatch {
  std::uint64_t sequence = 0;
  std::vector<StoredRecord> records;

  std::vector<journal::Entry> as_offered() const;
  std::vector<EntryBytes> as_read() const;
};

using Stream = std::vector<StoredBatch>;

inline constexpr Time kStart{Duration(1'700'000'000'000)};

// `turns` turns of a loop, the same for the same seed. Sequences have holes where the journal has
// its seals.
Stream random_stream(std::uint64_t seed, int turns);

// Tells the batches as a journal does.
Result<std::uint64_t> tell(const Stream& stream, std::uint64_t after, std::uint64_t through,
                           const BatchVisitor& visit);

StoredRecord stored(core::Record record, std::string blob = {});
TaskId task_id(std::uint64_t number);

}  // namespace assay::history::testing

#endif  // ASSAY_TESTS_UNIT_HISTORY_RECORD_STREAM_H_
