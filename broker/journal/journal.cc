// Theory of operation. One segment is active. append() builds a batch in recent memory, checksums
// it and writes it with one call; flush() is one fdatasync. When a batch does not fit, the next
// segment is made (durable, named), the active one is sealed and flushed, and the next becomes
// active: recovery.cc rests on that order. A write or a flush that fails stops the journal, because
// what is on the disk is then unknown.
#include "broker/journal/journal.h"

#include <algorithm>
#include <array>
#include <random>

#include "broker/journal/checksum.h"

namespace assay::journal {
namespace {

// Every segment keeps room for the batch that seals it.
constexpr std::uint64_t kSealBytes = batch_bytes(0);

// Batches larger than this part of the zeros written ahead gain nothing from zeros: writing every
// byte twice would cost more than the block map does.
constexpr std::uint64_t kWrittenAheadShare = 4;

std::string_view zeros(std::uint64_t bytes) {
  static const std::string kZeros(1U << 20, '\0');
  return std::string_view(kZeros).substr(0, bytes);
}

std::uint64_t random_seed() {
  std::random_device device;
  return static_cast<std::uint64_t>(device()) << 32 | device();
}

// splitmix64: spreads a seed and a number over 64 bits.
std::uint64_t mix(std::uint64_t seed, std::uint64_t number) {
  std::uint64_t z = seed + number * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

Result<std::uint64_t> payload_bytes(std::span<const Entry> entries) {
  const auto too_large = [](std::string_view what, std::uint64_t limit, std::uint64_t found) {
    return fix_input(std::string(kReasonBatchTooLarge),
                     "expected " + std::string(what) + " at most " + std::to_string(limit) +
                         ", found " + std::to_string(found) + "; append it in smaller parts");
  };
  if (entries.size() > kBatchEntriesMax) {
    return too_large("entries in a batch", kBatchEntriesMax, entries.size());
  }
  std::uint64_t bytes = 0;
  for (const Entry& entry : entries) {
    if (entry.head.size() > kEntryHeadBytesMax) {
      return too_large("bytes in the head of an entry", kEntryHeadBytesMax, entry.head.size());
    }
    bytes += entry_bytes(entry.head.size(), entry.blob.size());
  }
  if (bytes > kBatchPayloadBytesMax) {
    return too_large("bytes in a batch", kBatchPayloadBytesMax, bytes);
  }
  return bytes;
}

}  // namespace

Journal::Journal(FileSystem& file_system, std::string directory, const JournalOptions& options)
    : file_system_(file_system),
      directory_(directory),
      options_(options),
      spares_(file_system, directory, options.segment_bytes),
      segments_(file_system, std::move(directory)),
      recent_(options.recent_bytes),
      spare_bytes_wanted_(options.segment_bytes) {
  if (options_.seed == 0) {
    options_.seed = random_seed();
  }
}

Result<std::unique_ptr<Journal>> Journal::open(FileSystem& file_system,
                                               const std::string& directory,
                                               const JournalOptions& options, const Replay& replay,
                                               const Begin& begin) {
  if (options.segment_bytes < kSegmentBytesMin || options.segment_bytes > kSegmentBytesMax) {
    return fix_input("segment_bytes", "expected segment_bytes between " +
                                          std::to_string(kSegmentBytesMin) + " and " +
                                          std::to_string(kSegmentBytesMax) + ", found " +
                                          std::to_string(options.segment_bytes));
  }
  std::unique_ptr<Journal> journal(new Journal(file_system, directory, options));
  if (Status status = journal->start(replay, begin); !status.is_ok()) {
    return std::move(status).with_context("cannot open the journal in " + directory);
  }
  return journal;
}

Status Journal::start(const Replay& replay, const Begin& begin) {
  if (Status status = file_system_.create_directory(directory_); !status.is_ok()) {
    return status;
  }
  Result<std::unique_ptr<FileLock>> lock = file_system_.lock(path_in(directory_, kLockName));
  if (!lock.is_ok()) {
    return lock.status();
  }
  lock_ = std::move(lock).value();
  if (Status status = spares_.adopt(); !status.is_ok()) {
    return status;
  }
  const Result<std::optional<Manifest>> manifest = read_manifest(file_system_, directory_);
  if (!manifest.is_ok()) {
    return manifest.status();
  }
  if (!manifest->has_value()) {
    return create();
  }
  manifest_ = **manifest;
  if (begin) {
    if (Status status = begin(manifest_); !status.is_ok()) {
      return status;
    }
  }
  prepare_manifest(file_system_, directory_);
  space_.start(manifest_.oldest_segment, manifest_.oldest_sequence);
  const Result<RecoveredEnd> end = recover(
      file_system_, directory_, manifest_,
      [&](const SegmentHeader& segment, const Batch& batch) {
        return replay_batch(segment, batch, replay);
      },
      report_);
  if (!end.is_ok()) {
    return end.status();
  }
  // A segment without a batch has no account yet.
  while (space_.newest() < end->segment.number) {
    space_.add_segment(end->segment.first_sequence);
  }
  active_.header = end->segment;
  offset_ = end->offset;
  active_.written = end->file_bytes;
  active_.capacity = std::max<std::uint64_t>(options_.segment_bytes, end->file_bytes);
  next_sequence_ = end->next_sequence;
  durable_sequence_ = next_sequence_ - 1;
  Result<std::unique_ptr<File>> file = file_system_.open(
      path_in(directory_, segment_name(active_.header.number)), OpenMode::kReadWrite);
  if (!file.is_ok()) {
    return file.status();
  }
  active_.file = std::move(file).value();
  Status reserved = active_.file->reserve(active_.capacity);
  if (reserved.reason() == kReasonDiskFull) {
    active_.capacity = end->file_bytes;  // go on in what is there, then in a spare
    return Status::ok();
  }
  return reserved;
}

// Without a manifest there may be the first segment of a creation that was cut short, but no
// segment with a batch in it.
Status Journal::check_nothing_is_lost() {
  const Result<std::vector<std::uint32_t>> numbers = list_segments(file_system_, directory_);
  if (!numbers.is_ok()) {
    return numbers.status();
  }
  for (const std::uint32_t number : numbers.value()) {
    const Result<std::unique_ptr<File>> file =
        file_system_.open(path_in(directory_, segment_name(number)), OpenMode::kRead);
    if (!file.is_ok()) {
      return file.status();
    }
    std::string start;
    if (Status status = file.value()->read(0, kSegmentHeaderBytes + kBatchHeaderBytes, start);
        !status.is_ok()) {
      return status;
    }
    const auto segment = decode_segment_header(start).header;
    const auto batch =
        decode_batch_header(std::string_view(start).substr(segment ? kSegmentHeaderBytes : 0))
            .header;
    if (number != 1 || !segment || (batch && batch->salt == segment->salt)) {
      return damaged(path_in(directory_, kManifestName), 0,
                     "expected a manifest beside " + segment_name(number) + ", found no such file");
    }
  }
  return Status::ok();
}

// A new journal: its first segment, and then the manifest that makes it one.
Status Journal::create() {
  if (Status status = check_nothing_is_lost(); !status.is_ok()) {
    return status;
  }
  manifest_.journal_id = options_.journal_id != 0 ? options_.journal_id : mix(options_.seed, 0);
  manifest_.oldest_segment = 1;
  manifest_.oldest_sequence = 1;
  space_.start(1, 1);
  Result<FreshSegment> first =
      spares_.make_segment(make_header(1, 1), options_.segment_bytes, options_.written_ahead_bytes);
  if (!first.is_ok()) {
    return first.status();
  }
  active_ = std::move(first).value();
  return write_manifest(file_system_, directory_, manifest_);
}

SegmentHeader Journal::make_header(std::uint32_t number, std::uint64_t first_sequence) const {
  SegmentHeader header;
  header.number = number;
  header.journal_id = manifest_.journal_id;
  header.salt = mix(options_.seed, number);
  header.first_sequence = first_sequence;
  return header;
}

Status Journal::replay_batch(const SegmentHeader& segment, const Batch& batch,
                             const Replay& replay) {
  while (space_.newest() < segment.number) {
    space_.add_segment(segment.first_sequence);
  }
  space_.add_bytes(batch_bytes(batch.header.length));
  if (batch.header.kind != BatchKind::kRecords) {
    return Status::ok();
  }
  const std::string path = path_in(directory_, segment_name(segment.number));
  EntryCursor cursor(batch.payload);
  EntryView view;
  view.sequence = batch.header.sequence;
  view.may_be_orphan = view.sequence <= manifest_.orphans_through;
  std::uint32_t count = 0;
  while (const std::optional<RawEntry> entry = cursor.next()) {
    view.head = entry->head;
    view.blob = entry->blob;
    view.location = {segment.number, batch.offset + kBatchHeaderBytes + entry->blob_offset,
                     static_cast<std::uint32_t>(entry->blob.size())};
    if (Status status = replay(view); !status.is_ok()) {
      return std::move(status).with_context(path + ", batch " + std::to_string(view.sequence) +
                                            ", entry " + std::to_string(count));
    }
    ++count;
  }
  if (!cursor.at_end() || count != batch.header.entries) {
    return damaged(path, batch.offset,
                   "expected " + std::to_string(batch.header.entries) + " entries, found " +
                       std::to_string(count));
  }
  return Status::ok();
}

Status Journal::stop(const Status& why) {
  stopped_ = Status(Code::kInternal, std::string(kReasonStopped),
                    "the journal in " + directory_ + " stopped, since " + why.message() +
                        "; nothing more is accepted: mend the disk and start the broker again");
  return stopped_;
}

Result<Appended> Journal::append(std::span<const Entry> entries) {
  if (!stopped_.is_ok()) {
    return stopped_;
  }
  const Result<std::uint64_t> payload = payload_bytes(entries);
  if (!payload.is_ok()) {
    return payload.status();
  }
  locations_.clear();
  if (entries.empty()) {
    return Appended{last_sequence(), locations_};
  }
  if (Status status = make_room(batch_bytes(payload.value())); !status.is_ok()) {
    return status;
  }
  BatchHeader header;
  header.length = static_cast<std::uint32_t>(payload.value());
  header.entries = static_cast<std::uint32_t>(entries.size());
  if (Status status = write_batch(header, entries); !status.is_ok()) {
    return status;
  }
  counters_.batches += 1;
  counters_.entries += entries.size();
  return Appended{last_sequence(), locations_};
}

// Fills in the rest of the header, and writes the batch where the active segment ends.
Status Journal::write_batch(BatchHeader header, std::span<const Entry> entries) {
  const std::uint64_t frame_bytes = batch_bytes(header.length);
  char* frame = recent_.make_room(active_.header.number, offset_, frame_bytes);
  char* const payload = frame + kBatchHeaderBytes;
  char* at = payload;
  for (const Entry& entry : entries) {
    char* const end = encode_entry(entry.head, entry.blob, at);
    locations_.push_back({active_.header.number,
                          offset_ + static_cast<std::uint32_t>(end - frame) -
                              static_cast<std::uint32_t>(entry.blob.size()),
                          static_cast<std::uint32_t>(entry.blob.size())});
    at = end;
  }
  ASSAY_ASSERT(at == payload + header.length);
  std::fill(at, frame + frame_bytes, '\0');
  header.salt = active_.header.salt;
  header.sequence = next_sequence_;
  header.durable = durable_sequence_;
  header.payload_checksum = crc32c({payload, header.length});
  encode(header, std::span<char, kBatchHeaderBytes>(frame, kBatchHeaderBytes));

  const std::uint64_t end = offset_ + frame_bytes;
  std::uint64_t ahead = 0;
  if (end > active_.written && frame_bytes <= options_.written_ahead_bytes / kWrittenAheadShare) {
    ahead = std::min(options_.written_ahead_bytes, active_.capacity - end);
  }
  const std::array<std::string_view, 2> pieces{std::string_view(frame, frame_bytes), zeros(ahead)};
  if (Status status = active_.file->write(offset_, pieces); !status.is_ok()) {
    return stop(status);
  }
  active_.written = std::max(active_.written, end + pieces[1].size());
  offset_ = static_cast<std::uint32_t>(end);
  next_sequence_ += 1;
  space_.add_bytes(frame_bytes);
  return Status::ok();
}

Status Journal::flush() {
  if (!stopped_.is_ok()) {
    return stopped_;
  }
  if (durable_sequence_ == last_sequence()) {
    return Status::ok();
  }
  const auto begin = std::chrono::steady_clock::now();
  if (Status status = active_.file->sync(); !status.is_ok()) {
    return stop(status);
  }
  counters_.flush_last = std::chrono::steady_clock::now() - begin;
  counters_.flush_total += counters_.flush_last;
  counters_.flush_max = std::max(counters_.flush_max, counters_.flush_last);
  counters_.flushes += 1;
  durable_sequence_ = last_sequence();
  return Status::ok();
}

Status Journal::make_room(std::uint64_t frame_bytes) {
  if (offset_ + frame_bytes + kSealBytes <= active_.capacity) {
    return Status::ok();
  }
  return rotate(frame_bytes);
}

Status Journal::rotate(std::uint64_t frame_bytes) {
  // A batch that is larger than a segment gets a segment of its own size.
  const std::uint64_t capacity =
      std::max(options_.segment_bytes, kSegmentHeaderBytes + frame_bytes + kSealBytes);
  // The seal takes one sequence number.
  Result<FreshSegment> next =
      spares_.make_segment(make_header(active_.header.number + 1, next_sequence_ + 1), capacity,
                           options_.written_ahead_bytes);
  if (!next.is_ok()) {
    // On a full disk nothing has happened yet: the segment has no name before it has its space.
    return next.status().reason() == kReasonDiskFull ? next.status() : stop(next.status());
  }
  BatchHeader seal;
  seal.kind = BatchKind::kSeal;
  if (Status status = write_batch(seal, {}); !status.is_ok()) {
    return status;
  }
  if (Status status = flush(); !status.is_ok()) {
    return status;
  }
  active_ = std::move(next).value();
  offset_ = kSegmentHeaderBytes;
  space_.add_segment(active_.header.first_sequence);
  return Status::ok();
}

Status Journal::close() {
  if (!stopped_.is_ok()) {
    return stopped_;
  }
  if (report_.was_closed && counters_.batches == 0) {
    return Status::ok();  // nothing was added to what is closed already
  }
  if (Status status = flush(); !status.is_ok()) {
    return status;
  }
  if (Status status = make_room(batch_bytes(0)); !status.is_ok()) {
    return status;
  }
  BatchHeader header;
  header.kind = BatchKind::kClose;
  if (Status status = write_batch(header, {}); !status.is_ok()) {
    return status;
  }
  return flush();
}

Result<std::string> Journal::read(const Location& location) {
  const std::uint64_t end = std::uint64_t{location.offset} + location.length;
  const bool is_inside = space_.holds(location.segment) &&
                         location.offset >= kSegmentHeaderBytes + kBatchHeaderBytes &&
                         (location.segment != active_.header.number || end <= offset_);
  if (!is_inside) {
    return not_found(std::string(kReasonNoSuchLocation),
                     "expected a blob in segments " + std::to_string(oldest_segment()) + " to " +
                         std::to_string(active_segment()) + ", found segment " +
                         std::to_string(location.segment) + ", offset " +
                         std::to_string(location.offset));
  }
  if (location.length == 0) {
    return std::string();
  }
  if (const std::optional<std::string_view> bytes =
          recent_.find(location.segment, location.offset, location.length)) {
    return std::string(*bytes);
  }
  return segments_.read_blob(location);
}

Status Journal::can_accept(std::uint64_t bytes) {
  if (!stopped_.is_ok()) {
    return stopped_;
  }
  const std::uint64_t in_active =
      active_.capacity - std::min<std::uint64_t>(active_.capacity, offset_);
  // And for the segment that a batch may leave half empty.
  spare_bytes_wanted_ = bytes + options_.segment_bytes;
  while (in_active + spares_.bytes() < spare_bytes_wanted_) {
    const Result<std::uint64_t> free = file_system_.free_bytes(directory_);
    Status status = free.status();
    if (free.is_ok() && free.value() >= options_.segment_bytes) {
      status = spares_.add();
    } else if (free.is_ok()) {
      status = Status(Code::kExhausted, std::string(kReasonDiskFull),
                      std::to_string(free.value()) + " bytes are free");
    }
    if (!status.is_ok()) {
      return retry_later(std::string(kReasonDiskFull),
                         "expected " + std::to_string(options_.segment_bytes) +
                             " bytes for another segment in " + directory_ + ", found none (" +
                             status.message() +
                             "); work is finished but none accepted until there is space");
    }
  }
  return Status::ok();
}

Status Journal::seal_active() {
  if (!stopped_.is_ok()) {
    return stopped_;
  }
  return offset_ == kSegmentHeaderBytes ? Status::ok() : rotate(0);
}

Status Journal::drop_segments_before(std::uint32_t segment) {
  if (!stopped_.is_ok()) {
    return stopped_;
  }
  if (segment <= oldest_segment()) {
    return Status::ok();
  }
  ASSAY_ASSERT(segment <= active_segment());
  ASSAY_ASSERT(durable_sequence_ == last_sequence());
  Manifest next = manifest_;
  next.oldest_segment = segment;
  next.oldest_sequence = space_.first_sequence(segment);
  if (Status status = write_manifest(file_system_, directory_, next); !status.is_ok()) {
    return status;
  }
  const std::uint32_t first = oldest_segment();
  manifest_ = next;
  segments_.close_before(segment);
  space_.drop_before(segment);
  for (std::uint32_t number = first; number < segment; ++number) {
    // A file that stays is removed by the next recovery.
    static_cast<void>(spares_.recycle(number, spare_bytes_wanted_));
  }
  return Status::ok();
}

JournalCounters Journal::counters() const {
  JournalCounters counters = counters_;
  counters.bytes = space_.bytes();
  counters.segments = active_.header.number - space_.oldest() + 1;
  return counters;
}

}  // namespace assay::journal
