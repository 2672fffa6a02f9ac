// Reads a journal's batches while its broker appends to it: history's way back to what it missed.
// Only batches that are known to be durable are asked for, so that whatever stands behind them,
// half written, is never looked at. Takes no lock and changes nothing. Must not know: what entries
// mean.
#ifndef ASSAY_BROKER_HISTORY_JOURNAL_READER_H_
#define ASSAY_BROKER_HISTORY_JOURNAL_READER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "assay/status.h"
#include "broker/history/projection.h"
#include "broker/journal/file_system.h"
#include "broker/journal/format.h"

namespace assay::history {

// Told batches in order. A Status that is not ok ends the reading with it.
using BatchVisitor = std::function<Status(std::uint64_t sequence, std::span<const EntryBytes>)>;

// Thread: one at a time, any.
class JournalReader {
 public:
  // `file_system` must outlive it.
  JournalReader(journal::FileSystem& file_system, std::string directory, std::uint64_t journal_id)
      : file_system_(file_system), directory_(std::move(directory)), journal_id_(journal_id) {}

  // Tells every batch of records after `after` up to `through`, which must be durable. Answers how
  // many batches of those the journal does not have any more: dropped by compaction, or given up by
  // a repair. Errors: journal::kReasonDamaged, journal::kReasonVersion, those of the file system,
  // those of the visitor.
  Result<std::uint64_t> read(std::uint64_t after, std::uint64_t through, const BatchVisitor& visit);

 private:
  // Where to go on.
  struct Place {
    std::uint32_t segment = 0;  // 0: nowhere yet
    std::uint32_t offset = 0;
    std::uint64_t next_sequence = 0;
  };
  struct Asked {
    std::uint64_t after;
    std::uint64_t through;
    const BatchVisitor& visit;
  };

  Status locate(std::uint64_t after);
  Result<journal::SegmentHeader> read_header(journal::File& file, std::uint32_t number) const;
  Status read_segment(const Asked& asked);
  Status read_chunk(journal::File& file, const journal::SegmentHeader& header, const Asked& asked,
                    std::size_t& chunk_bytes);
  Status read_batch(const journal::SegmentHeader& header, std::string_view payload,
                    std::uint64_t sequence, std::uint32_t count, const Asked& asked);
  // The journal ended before what is durable: dropped behind our back, or damaged.
  Status on_missing(const Status& why, std::uint64_t after);
  void count_lost(std::uint64_t first, std::uint64_t next, std::uint64_t after);

  journal::FileSystem& file_system_;
  std::string directory_;
  std::uint64_t journal_id_;
  Place place_;
  std::uint64_t lost_ = 0;
  std::string chunk_;
  std::vector<EntryBytes> entries_;
};

}  // namespace assay::history

#endif  // ASSAY_BROKER_HISTORY_JOURNAL_READER_H_
