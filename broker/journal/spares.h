// Segments to be: files whose disk space is taken already. They are the reserve from which the
// journal goes on when the disk is full, and what becomes of dropped segments: their blocks are
// written, which is what makes a flush quick. A spare has no part in the journal before it gets a
// segment's name. Must not know: batches, or how many spares are needed.
#ifndef ASSAY_BROKER_JOURNAL_SPARES_H_
#define ASSAY_BROKER_JOURNAL_SPARES_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "assay/status.h"
#include "broker/journal/file_system.h"
#include "broker/journal/format.h"

namespace assay::journal {

// A segment that has just been made.
struct FreshSegment {
  SegmentHeader header;
  std::unique_ptr<File> file;
  std::uint64_t written = 0;  // bytes of the file, which need no new blocks
  std::uint64_t capacity = 0;
};

// Thread: one at a time.
class Spares {
 public:
  Spares(FileSystem& file_system, std::string directory, std::uint64_t segment_bytes)
      : file_system_(file_system),
        directory_(std::move(directory)),
        segment_bytes_(segment_bytes) {}

  // Takes over the spares that an earlier broker left.
  Status adopt();

  std::uint64_t bytes() const { return names_.size() * segment_bytes_; }
  // One more. Errors: kReasonDiskFull, and those of the file system.
  Status add();
  // Turns a spare (or a new file, where none is large enough) into the segment `header.number` with
  // room for `capacity` bytes, durably; it has its name only once its header is on disk. Writes
  // zeros up to `written_ahead` where the file is new. Errors: kReasonDiskFull, with nothing done;
  // others, with anything.
  Result<FreshSegment> make_segment(SegmentHeader header, std::uint64_t capacity,
                                    std::uint64_t written_ahead);
  // Makes a spare of a segment that is not part of the journal any more, or removes it: when it has
  // not the usual size, or `enough` bytes are spare.
  Status recycle(std::uint32_t segment, std::uint64_t enough);

 private:
  std::string path(const std::string& name) const;
  Status create(std::uint64_t bytes);

  FileSystem& file_system_;
  std::string directory_;
  std::uint64_t segment_bytes_;
  std::vector<std::string> names_;
  std::uint64_t next_name_ = 1;
};

}  // namespace assay::journal

#endif  // ASSAY_BROKER_JOURNAL_SPARES_H_
