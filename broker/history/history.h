// The broker's history: what people query, in SQLite, written behind the journal by a thread of its
// own. docs/history.md describes it.
//
// Theory. The broker's loop offers each batch after it is durable; that is a copy into a bounded
// buffer. The writer takes the buffer every now and then and commits it. When the buffer is full
// the loop only notes that history has fallen behind; the writer then reads the journal from its
// position on, as it does at every start, and takes up the buffer again. So the loop never waits,
// and no row is lost: a batch is in the buffer, or was durable before the writer began to read.
#ifndef ASSAY_BROKER_HISTORY_HISTORY_H_
#define ASSAY_BROKER_HISTORY_HISTORY_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>

#include "assay/ids.h"
#include "assay/status.h"
#include "broker/history/journal_reader.h"
#include "broker/history/offer_buffer.h"
#include "broker/history/projection.h"
#include "broker/journal/journal.h"

namespace assay::history {

struct Retention {
  Duration ended_kept_for = std::chrono::hours(24 * 90);
  std::uint64_t ended_kept_max = 5'000'000;  // tasks
  Duration usage_kept_for = std::chrono::hours(24 * 400);
  Duration events_kept_for = std::chrono::hours(24 * 7);
  std::uint64_t events_kept_max = 5'000'000;
  Duration every = std::chrono::minutes(1);  // how often it is looked after
};

struct HistoryOptions {
  std::string path;                 // of the database's file
  std::uint64_t journal_id = 0;     // of the journal that it is made from
  std::uint64_t last_sequence = 0;  // the journal's last batch, durable
  // Tells the journal's batches after `after` up to `through`; answers how many are gone. Called on
  // the writer's thread. JournalReader::read does it.
  std::function<Result<std::uint64_t>(std::uint64_t after, std::uint64_t through,
                                      const BatchVisitor&)>
      replay;
  Duration commit_every{200};
  Retention retention;
  std::size_t offered_bytes_max = kOfferedBytesMax;
  std::size_t offered_records_max = kOfferedRecordsMax;
  Duration retry_after{1000};   // after a failure; doubled up to a minute while it lasts
  std::function<Time()> now{};  // the system's clock where it is not given
  // Told of every failure that history could not go on from at once, and of an ok Status when it
  // goes on. Called on the writer's thread.
  std::function<void(const Status&)> on_status{};
};

struct HistoryCounters {
  std::uint64_t position = 0;     // the journal's batch up to which all is committed
  std::uint64_t lag_batches = 0;  // durable ones after that
  std::uint64_t lag_records = 0;  // offered since the start, and not committed
  std::uint64_t records = 0;      // applied since the start
  std::uint64_t transactions = 0;
  std::uint64_t gaps = 0;  // how often the buffer was full, and the journal was read instead
  std::uint64_t lost_batches = 0;  // that the journal did not have any more when they were read
  std::uint64_t orphans = 0;       // records of tasks that history does not know
  std::uint64_t ended_tasks = 0;   // rows of ended tasks
  std::uint64_t erased_tasks = 0;  // by retention, since the start
};

class History {
 public:
  // Opens or makes the database and starts the writer, which catches up with the journal first.
  // Errors: kReasonVersion (a newer assay wrote it), kReasonForeign, kReasonOtherJournal,
  // kReasonDamaged, kReasonUnreachable, kReasonDiskFull, kReasonInputOutput. A broker goes on
  // without history then, and says so. Thread: any.
  static Result<std::unique_ptr<History>> open(HistoryOptions options);
  ~History();
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  // A batch that is durable in the journal now. Never waits for the disk. Thread: one.
  void offer(std::uint64_t sequence, std::span<const journal::Entry> entries);
  // Batches up to `sequence` are durable and not all of them were offered: the writer reads them
  // from the journal. For turns that take several batches. Thread: as offer().
  void offer_by_journal(std::uint64_t sequence);

  // Waits until everything up to `sequence` is committed. False: not within `patience`, or the
  // writer has stopped. Thread: any.
  bool wait_for(std::uint64_t sequence, Duration patience);
  // Why the writer stopped or waits to try again; ok while all is well. Thread: any.
  Status status() const;
  HistoryCounters counters() const;  // Thread: any

  // Commits what was offered and ends the writer. What it could not take is in the journal, and
  // read at the next start. Thread: any; once.
  void close();

 private:
  History(HistoryOptions options, std::unique_ptr<Database> database, Projection projection);

  // All on the writer's thread.
  void run();
  void write();
  bool wait_for_work();
  Status turn();
  Status take_all(bool gap, bool behind, std::uint64_t through);
  Status replay(std::uint64_t through);
  Status apply(std::uint64_t sequence, std::span<const EntryBytes> entries);
  Status commit();
  Status retain();
  Result<std::size_t> retain_tasks();
  Result<std::size_t> retain_events();
  // Waits before the next try. False: there is no sense in one.
  bool recover(const Status& failure);
  void tell(const Status& status);
  bool must_stop() const { return stopping_.load(std::memory_order_relaxed); }

  const HistoryOptions options_;
  std::unique_ptr<Database> database_;

  // The writer's.
  Projection projection_;
  OfferBuffer taken_;  // swapped with offered_
  bool gap_ = true;    // what comes after the position is not in offered_ from its first batch on
  bool retention_goes_on_ = false;
  std::chrono::steady_clock::time_point next_retention_{};
  Duration retry_after_;

  mutable std::mutex mutex_;           // never held over a system call but a wake-up
  std::condition_variable wake_;       // the writer
  std::condition_variable committed_;  // those who wait for it
  OfferBuffer offered_;
  bool behind_ = false;  // batches after those in offered_ found no room
  std::uint64_t durable_ = 0;
  std::uint64_t offered_records_ = 0;  // since the start
  std::uint64_t settled_records_ = 0;  // of those
  bool ended_ = false;
  Status status_;
  HistoryCounters counters_;

  std::atomic<bool> stopping_{false};
  std::thread writer_;
};

}  // namespace assay::history

#endif  // ASSAY_BROKER_HISTORY_HISTORY_H_
