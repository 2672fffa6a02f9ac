// Where the loop puts records and bodies: the journal, or memory alone for those who ask for speed
// without durability.
#ifndef ASSAY_BROKER_NET_STORAGE_H_
#define ASSAY_BROKER_NET_STORAGE_H_

#include <memory>
#include <string>
#include <vector>

#include "assay/status.h"
#include "broker/core/broker_core.h"
#include "broker/core/effects.h"
#include "broker/core/location.h"

namespace assay::history {
class History;
}

namespace assay::journal {
class FileSystem;
}

namespace assay::net {

struct StorageCounters {
  std::uint64_t bytes = 0;  // on disk
  std::uint64_t flushes = 0;
  double flush_seconds_last = 0;
  std::uint64_t checkpoint_bytes = 0;  // of the checkpoint that the journal begins with
  std::uint64_t compactions = 0;
  std::uint64_t compaction_failures = 0;
};

// Thread: the loop's.
class Storage {
 public:
  virtual ~Storage() = default;

  // Makes all records durable and tells the core where their blobs lie. After a failure nothing
  // more may be accepted from anyone: what the records rest on is not certain.
  virtual Status store(const std::vector<core::Append>& appends, core::BrokerCore& core) = 0;
  // Whether new work may be accepted: what is accepted can be finished even if the disk is full
  // from now on, because its space is taken beforehand. Errors: `disk_full` (retry_later).
  virtual Status can_accept(const core::BrokerCore& core) = 0;
  // Whatever is to be done between turns, a little at a time. True: there is more to do at once.
  // Errors: as store().
  virtual Result<bool> between_turns(core::BrokerCore& core) = 0;
  // A blob that was stored.
  virtual Result<std::string> read(const core::Location& location) = 0;
  virtual StorageCounters counters() const = 0;
  // Everything that becomes durable from now on is offered to this history (which lives longer).
  virtual void offer_to(history::History& history) = 0;
  // The position of what is durable.
  virtual std::uint64_t durable_sequence() const = 0;
  // The last call: everything is durable.
  virtual Status close() = 0;
};

// What opening a journal found.
struct Recovery {
  std::uint64_t records = 0;
  std::uint64_t orphans = 0;  // skipped: a repair gave up what they speak of
  std::string report;         // for the log: what was cut from a torn end, if anything
};

struct JournalSettings {
  std::string directory;
  std::uint64_t segment_bytes = 64ULL << 20;
  std::uint64_t compaction_bytes_min = 256ULL << 20;  // of segments: below it none is compacted
  bool compacts_on_own_thread = true;                 // false: for tests that want one order
};

// Opens the journal (made when there is none) and recovers `core` from it. `rules` are the core's.
// Errors: those of journal::Journal::open, `malformed_record`, `unknown_record`,
// `impossible_record`.
Result<std::unique_ptr<Storage>> open_journal_storage(const JournalSettings& settings,
                                                      const core::CoreOptions& rules,
                                                      core::BrokerCore& core, Recovery& recovery);
// The same in another file system, which must outlive it.
Result<std::unique_ptr<Storage>> open_journal_storage(journal::FileSystem& file_system,
                                                      const JournalSettings& settings,
                                                      const core::CoreOptions& rules,
                                                      core::BrokerCore& core, Recovery& recovery);

// Keeps blobs in memory and forgets everything with the process.
std::unique_ptr<Storage> make_memory_storage();

}  // namespace assay::net

#endif  // ASSAY_BROKER_NET_STORAGE_H_
