// The broker's journal: an append-only log of batches of entries, and the truth about every task.
//
//   append(entries) .. append(entries)   buffered by the system, readable at once
//   flush()                              one fdatasync: all of it is durable now, and may be
//   promised
//
// An entry is a `head` (a record's fields, encoded by whoever knows them) and an optional `blob` (a
// task's body or result) that is read back by its location when it is needed. docs/journal.md
// describes the files, the recovery rules and what the owner of the state owes to compaction. Must
// not know: tasks, records, sockets, clocks that decide anything.
#ifndef ASSAY_BROKER_JOURNAL_JOURNAL_H_
#define ASSAY_BROKER_JOURNAL_JOURNAL_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "assay/status.h"
#include "broker/journal/directory.h"
#include "broker/journal/file_system.h"
#include "broker/journal/format.h"
#include "broker/journal/open_segments.h"
#include "broker/journal/recent_bytes.h"
#include "broker/journal/recovery.h"
#include "broker/journal/space.h"
#include "broker/journal/spares.h"

namespace assay::journal {

// Reasons of this class, beside those of directory.h and file_system.h.
inline constexpr std::string_view kReasonStopped = "journal_stopped";          // kInternal
inline constexpr std::string_view kReasonBatchTooLarge = "batch_too_large";    // kFixInput
inline constexpr std::string_view kReasonNoSuchLocation = "no_such_location";  // kNotFound

struct Entry {
  std::string_view head;
  std::string_view blob = {};
};

struct Appended {
  std::uint64_t sequence = 0;  // of the batch; the journal position of all its entries
  std::span<const Location>
      locations;  // one for each entry, in order; valid until the next append()
};

// An entry as recovery replays it. The views are valid during the call only.
struct EntryView {
  std::uint64_t sequence = 0;
  std::string_view head;
  std::string_view blob;
  Location location;
  // A repair gave up what came before: it may speak of something that is not known. Skip it then.
  // Where this is false, an unknown thing is an error.
  bool may_be_orphan = false;
};

struct JournalOptions {
  std::uint64_t segment_bytes = 64ULL
                                << 20;  // of a new segment, kSegmentBytesMin .. kSegmentBytesMax
  // A segment is written with zeros this far ahead of its end, so that a flush has no file size and
  // no block map to write. 0: never.
  std::uint64_t written_ahead_bytes = 1ULL << 20;
  std::uint64_t recent_bytes = 4ULL << 20;  // kept in memory to be read back
  // Salts and the journal's id come from it; 0 takes a random one. Tests give one to get the same
  // bytes.
  std::uint64_t seed = 0;
  // Of a new journal; 0 takes one from the seed.
  std::uint64_t journal_id = 0;
};

struct JournalCounters {
  std::uint64_t bytes = 0;  // on disk, of all segments
  std::uint32_t segments = 0;
  std::uint64_t batches = 0;  // appended since open
  std::uint64_t entries = 0;
  std::uint64_t flushes = 0;
  std::chrono::nanoseconds flush_last{0};  // for a histogram: observe it after each flush()
  std::chrono::nanoseconds flush_total{0};
  std::chrono::nanoseconds flush_max{0};
};

// Thread: one; every call of a Journal comes from the thread that opened it.
class Journal {
 public:
  // Told every entry in order, once. A Status that is not ok ends the recovery with it.
  using Replay = std::function<Status(const EntryView&)>;
  // Told, before that and under the lock, where the journal begins.
  using Begin = std::function<Status(const Manifest&)>;

  // Opens the journal in `directory`, making it when there is none, and replays it. Errors:
  // kReasonLocked (another broker has it), kReasonPermission, kReasonDiskFull, kReasonDamaged,
  // kReasonVersion, kReasonInputOutput, and whatever `replay` returned. `file_system` must outlive
  // the journal.
  static Result<std::unique_ptr<Journal>> open(FileSystem& file_system,
                                               const std::string& directory,
                                               const JournalOptions& options, const Replay& replay,
                                               const Begin& begin = {});
  // Ends without a flush, as a crash would. close() first to end in good order.
  ~Journal() = default;
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Appends `entries` as one batch: after a crash all of them are there or none. Readable at once,
  // durable after flush(). Errors: kReasonBatchTooLarge and kReasonDiskFull leave the journal as it
  // was; any other error stops it for good (kReasonStopped from then on), since nobody knows what
  // is on the disk.
  Result<Appended> append(std::span<const Entry> entries);

  // Makes durable all that was appended. Free when there is nothing new. After one failure every
  // later append() and flush() fails with kReasonStopped: acceptance ends, the process should end
  // too.
  Status flush();

  // The blob at `location`, from memory or from its segment. Its checksum is verified when it comes
  // from the disk. Errors: kReasonNoSuchLocation, kReasonDamaged, kReasonInputOutput.
  Result<std::string> read(const Location& location);

  // Flushes and leaves a last batch that says so, by which damage to the end can be told from a
  // torn end.
  Status close();

  // --- Space (docs/journal.md, Compaction) ---

  // Whether `bytes` more of new work may be accepted: what is accepted can be finished even if the
  // disk is full from now on, because its space is taken beforehand. Ask before every turn that
  // accepts work; what finishes work, or compacts, does not ask. kReasonDiskFull (kRetryLater):
  // refuse new work for now.
  Status can_accept(std::uint64_t bytes);

  // Ends the segment in use, so that all that was appended is in segments which never change.
  // Errors: kReasonDiskFull (nothing happened), others stop the journal.
  Status seal_active();

  // Takes the segments before `segment` out of the journal, durably: nothing of them is needed any
  // more. Everything must be flushed. Errors: kReasonDiskFull and kReasonInputOutput (try again
  // later: nothing is dropped), kReasonStopped.
  Status drop_segments_before(std::uint32_t segment);

  std::uint32_t oldest_segment() const { return space_.oldest(); }
  std::uint32_t active_segment() const { return active_.header.number; }
  std::uint64_t last_sequence() const { return next_sequence_ - 1; }
  std::uint64_t durable_sequence() const { return durable_sequence_; }

  // The number of a segment's first batch. Only for oldest_segment() .. active_segment().
  std::uint64_t first_sequence(std::uint32_t segment) const {
    return space_.first_sequence(segment);
  }
  JournalCounters counters() const;
  const RecoveryReport& recovery_report() const { return report_; }

 private:
  Journal(FileSystem& file_system, std::string directory, const JournalOptions& options);

  Status start(const Replay& replay, const Begin& begin);
  Status create();
  Status check_nothing_is_lost();
  Status replay_batch(const SegmentHeader& segment, const Batch& batch, const Replay& replay);
  SegmentHeader make_header(std::uint32_t number, std::uint64_t first_sequence) const;
  Status make_room(std::uint64_t frame_bytes);
  Status rotate(std::uint64_t frame_bytes);
  Status write_batch(BatchHeader header, std::span<const Entry> entries);
  Status stop(const Status& why);

  FileSystem& file_system_;
  std::string directory_;
  JournalOptions options_;
  std::unique_ptr<FileLock> lock_;
  Manifest manifest_;
  FreshSegment active_;
  std::uint32_t offset_ = kSegmentHeaderBytes;  // where the next batch goes in the active segment
  Spares spares_;
  OpenSegments segments_;
  RecentBytes recent_;
  Space space_;
  std::uint64_t spare_bytes_wanted_;  // as can_accept() was asked last; at first, a segment
  std::uint64_t next_sequence_ = 1;
  std::uint64_t durable_sequence_ = 0;
  std::vector<Location> locations_;  // of the last append()
  Status stopped_;                   // why, once a write or a flush failed
  RecoveryReport report_;
  JournalCounters counters_;
};

}  // namespace assay::journal

#endif  // ASSAY_BROKER_JOURNAL_JOURNAL_H_
