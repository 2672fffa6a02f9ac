// Nothing here is made durable but the segment that a spare becomes: a spare that a crash forgets
// is made again.
#include "broker/journal/spares.h"

#include <algorithm>
#include <array>

#include "broker/journal/directory.h"

namespace assay::journal {

namespace {

constexpr std::uint64_t kAdoptedBytesMax = 256ULL << 20;

}  // namespace

std::string Spares::path(const std::string& name) const {
  return path_in(directory_, name);
}

Status Spares::adopt() {
  const Result<std::vector<std::string>> names = file_system_.list(directory_);
  if (!names.is_ok()) {
    return names.status();
  }
  for (const std::string& name : names.value()) {
    const std::optional<std::uint64_t> number = spare_number(name);
    if (!number) {
      continue;
    }
    next_name_ = std::max(next_name_, *number + 1);
    const Result<std::unique_ptr<File>> file = file_system_.open(path(name), OpenMode::kReadWrite);
    if (!file.is_ok()) {
      return file.status();
    }
    const Result<std::uint64_t> size = file.value()->size();
    // Left by a broker with smaller segments they may be many: as large as ours they could fill the
    // disk. What is needed beyond is made again.
    const bool is_usable = bytes() < kAdoptedBytesMax && size.is_ok() &&
                           size.value() <= segment_bytes_ &&
                           file.value()->reserve(segment_bytes_).is_ok();
    if (is_usable) {
      names_.push_back(name);
    } else if (Status status = file_system_.remove(path(name)); !status.is_ok()) {
      return status;
    }
  }
  return Status::ok();
}

Status Spares::create(std::uint64_t bytes) {
  const std::string name = spare_name(next_name_++);
  const Result<std::unique_ptr<File>> file = file_system_.open(path(name), OpenMode::kCreate);
  if (!file.is_ok()) {
    return file.status();
  }
  if (Status status = file.value()->reserve(bytes); !status.is_ok()) {
    static_cast<void>(file_system_.remove(path(name)));  // adopt() removes it if this cannot
    return status;
  }
  names_.push_back(name);
  return Status::ok();
}

Status Spares::add() {
  return create(segment_bytes_);
}

Result<FreshSegment> Spares::make_segment(SegmentHeader header, std::uint64_t capacity,
                                          std::uint64_t written_ahead) {
  if (names_.empty() || capacity > segment_bytes_) {
    if (Status status = create(capacity); !status.is_ok()) {
      return status;
    }
  }
  const std::string name = names_.back();
  Result<std::unique_ptr<File>> file = file_system_.open(path(name), OpenMode::kReadWrite);
  if (!file.is_ok()) {
    return file.status();
  }
  names_.pop_back();
  const Result<std::uint64_t> size = (*file)->size();
  if (!size.is_ok()) {
    return size.status();
  }
  header.recycled = size.value() > 0;
  const std::uint64_t zeros = header.recycled ? 0 : std::min(written_ahead, capacity);
  std::string start(std::max<std::uint64_t>(kSegmentHeaderBytes, zeros), '\0');
  encode(header, std::span<char, kSegmentHeaderBytes>(start.data(), kSegmentHeaderBytes));
  const std::array<std::string_view, 1> pieces{start};
  if (Status status = (*file)->write(0, pieces); !status.is_ok()) {
    return status;
  }
  if (Status status = (*file)->sync(); !status.is_ok()) {
    return status;
  }
  if (Status status = file_system_.rename(path(name), path(segment_name(header.number)));
      !status.is_ok()) {
    return status;
  }
  if (Status status = file_system_.sync_directory(directory_); !status.is_ok()) {
    return status;
  }
  return FreshSegment{header, std::move(file).value(),
                      std::max<std::uint64_t>(start.size(), size.value()), capacity};
}

Status Spares::recycle(std::uint32_t segment, std::uint64_t enough) {
  const std::string from = path(segment_name(segment));
  bool is_wanted = bytes() < enough;
  if (is_wanted) {
    const Result<std::unique_ptr<File>> file = file_system_.open(from, OpenMode::kReadWrite);
    const Result<std::uint64_t> size =
        file.is_ok() ? file.value()->size() : Result<std::uint64_t>(file.status());
    is_wanted = size.is_ok() && size.value() <= segment_bytes_ &&
                file.value()->reserve(segment_bytes_).is_ok();
  }
  if (!is_wanted) {
    return file_system_.remove(from);
  }
  const std::string name = spare_name(next_name_++);
  if (Status status = file_system_.rename(from, path(name)); !status.is_ok()) {
    return status;
  }
  names_.push_back(name);
  return Status::ok();
}

}  // namespace assay::journal
