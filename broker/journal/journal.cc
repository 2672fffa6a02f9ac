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
      segments_(file_system, std::move(directory)),
      recent_(options.recent_bytes) {
  if (options_.seed == 0) {
    options_.seed = random_seed();
  }
}

Result<std::unique_ptr<Journal>> Journal::open(FileSystem& file_system,
                                               const std::string& directory,
                                               const JournalOptions& options,
                                               const Replay& replay) {
  if (options.segment_bytes < kSegmentBytesMin || options.segment_bytes > kSegmentBytesMax) {
    return fix_input("segment_bytes", "expected segment_bytes between " +
                                          std::to_string(kSegmentBytesMin) + " and " +
                                          std::to_string(kSegmentBytesMax) + ", found " +
                                          std::to_string(options.segment_bytes));
  }
  std::unique_ptr<Journal> journal(new Journal(file_system, directory, options));
  if (Status status = journal->start(replay); !status.is_ok()) {
    return std::move(status).with_context("cannot open the journal in " + directory);
  }
  return journal;
}

Status Journal::start(const Replay& replay) {
  if (Status status = file_system_.create_directory(directory_); !status.is_ok()) {
    return status;
  }
  Result<std::unique_ptr<FileLock>> lock = file_system_.lock(path_in(directory_, kLockName));
  if (!lock.is_ok()) {
    return lock.status();
  }
  lock_ = std::move(lock).value();
  const Result<std::optional<Manifest>> manifest = read_manifest(file_system_, directory_);
  if (!manifest.is_ok()) {
    return manifest.status();
  }
  if (!manifest->has_value()) {
    return create();
  }
  manifest_ = **manifest;
  space_.start(manifest_.oldest_segment);
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
    space_.add_segment();
  }
  active_.header = end->segment;
  active_.offset = end->offset;
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
  return active_.file->reserve(active_.capacity);
}

// A new journal: its first segment, and then the manifest that makes it one. Without a manifest
// there may be the first segment of a creation that was cut short, but never one with a batch in
// it.
Status Journal::create() {
  const Result<std::vector<std::uint32_t>> numbers = list_segments(file_system_, directory_);
  if (!numbers.is_ok()) {
    return numbers.status();
  }
  for (const std::uint32_t number : numbers.value()) {
    const std::string path = path_in(directory_, segment_name(number));
    const Result<std::unique_ptr<File>> file = file_system_.open(path, OpenMode::kRead);
    if (!file.is_ok()) {
      return file.status();
    }
    std::string start;
    if (Status status = file.value()->read(0, kSegmentHeaderBytes + kBatchHeaderBytes, start);
        !status.is_ok()) {
      return status;
    }
    if (number != 1 || start.find_first_not_of('\0', kSegmentHeaderBytes) != std::string::npos) {
      return damaged(path_in(directory_, kManifestName), 0,
                     "expected a manifest beside " + segment_name(number) + ", found no such file");
    }
  }
  manifest_.journal_id = mix(options_.seed, 0);
  manifest_.oldest_segment = 1;
  manifest_.oldest_sequence = 1;
  space_.start(1);
  active_.header = make_header(1, 1);
  active_.capacity = options_.segment_bytes;
  active_.written = std::min(options_.written_ahead_bytes, active_.capacity);
  Result<std::unique_ptr<File>> file =
      create_segment(file_system_, directory_, active_.header, active_.capacity, active_.written);
  if (!file.is_ok()) {
    return file.status();
  }
  active_.file = std::move(file).value();
  active_.written = std::max<std::uint64_t>(active_.written, kSegmentHeaderBytes);
  space_.add_bytes(kSegmentHeaderBytes);
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
    space_.add_segment();
  }
  if (batch.offset == kSegmentHeaderBytes) {
    space_.add_bytes(kSegmentHeaderBytes);
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
    view.retained = entry->retained;
    view.location = {segment.number, batch.offset + kBatchHeaderBytes + entry->blob_offset,
                     static_cast<std::uint32_t>(entry->blob.size())};
    if (entry->retained) {
      space_.retain(view.location, entry->head.size());
    }
    if (Status status = replay(*this, view); !status.is_ok()) {
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

Status Journal::stop(Status why) {
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
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].retained) {
      space_.retain(locations_[i], entries[i].head.size());
    }
  }
  counters_.batches += 1;
  counters_.entries += entries.size();
  return Appended{last_sequence(), locations_};
}

// Fills in the rest of the header, and writes the batch where the active segment ends.
Status Journal::write_batch(BatchHeader header, std::span<const Entry> entries) {
  const std::uint64_t frame_bytes = batch_bytes(header.length);
  char* frame = recent_.make_room(active_.header.number, active_.offset, frame_bytes);
  char* const payload = frame + kBatchHeaderBytes;
  char* at = payload;
  for (const Entry& entry : entries) {
    char* const end = encode_entry(entry.head, entry.blob, entry.retained, at);
    locations_.push_back({active_.header.number,
                          active_.offset + static_cast<std::uint32_t>(end - frame) -
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

  const std::uint64_t end = active_.offset + frame_bytes;
  std::uint64_t ahead = 0;
  if (end > active_.written && frame_bytes <= options_.written_ahead_bytes / kWrittenAheadShare) {
    ahead = std::min(options_.written_ahead_bytes, active_.capacity - end);
  }
  const std::array pieces{std::string_view(frame, frame_bytes), zeros(ahead)};
  if (Status status = active_.file->write(active_.offset, pieces); !status.is_ok()) {
    return stop(std::move(status));
  }
  active_.written = std::max(active_.written, end + pieces[1].size());
  active_.offset = static_cast<std::uint32_t>(end);
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
    return stop(std::move(status));
  }
  counters_.flush_last = std::chrono::steady_clock::now() - begin;
  counters_.flush_total += counters_.flush_last;
  counters_.flush_max = std::max(counters_.flush_max, counters_.flush_last);
  counters_.flushes += 1;
  durable_sequence_ = last_sequence();
  return Status::ok();
}

Status Journal::make_room(std::uint64_t frame_bytes) {
  if (active_.offset + frame_bytes + kSealBytes <= active_.capacity) {
    return Status::ok();
  }
  return rotate(frame_bytes);
}

Status Journal::rotate(std::uint64_t frame_bytes) {
  Active next;
  // The seal takes one sequence number.
  next.header = make_header(active_.header.number + 1, next_sequence_ + 1);
  // A batch that is larger than a segment gets a segment of its own size.
  next.capacity = std::max(options_.segment_bytes, kSegmentHeaderBytes + frame_bytes + kSealBytes);
  next.written = std::max<std::uint64_t>(std::min(options_.written_ahead_bytes, next.capacity),
                                         kSegmentHeaderBytes);
  Result<std::unique_ptr<File>> file =
      create_segment(file_system_, directory_, next.header, next.capacity, next.written);
  if (!file.is_ok()) {
    // On a full disk nothing has happened yet: the segment has no name before it has its space.
    return file.status().reason() == kReasonDiskFull ? file.status() : stop(file.status());
  }
  next.file = std::move(file).value();
  BatchHeader seal;
  seal.kind = BatchKind::kSeal;
  if (Status status = write_batch(seal, {}); !status.is_ok()) {
    return status;
  }
  if (Status status = flush(); !status.is_ok()) {
    return status;
  }
  active_ = std::move(next);
  space_.add_segment();
  space_.add_bytes(kSegmentHeaderBytes);
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
                         (location.segment != active_.header.number || end <= active_.offset);
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

void Journal::release(const Location& location) {
  space_.release(location);
}

JournalCounters Journal::counters() const {
  JournalCounters counters = counters_;
  const SegmentUsage total = space_.total();
  counters.bytes = total.bytes;
  counters.live_bytes = total.live_bytes;
  counters.live_entries = total.live_entries;
  counters.segments = active_.header.number - space_.oldest() + 1;
  return counters;
}

}  // namespace assay::journal
