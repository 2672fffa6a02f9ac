// A short list searched from its front: reads go to the few segments at either end of the journal.
#include "broker/journal/open_segments.h"

#include <algorithm>

#include "broker/journal/checksum.h"
#include "broker/journal/directory.h"

namespace assay::journal {
namespace {

constexpr std::uint32_t kBlobPrefixBytes = 4 + kBlobChecksumBytes;  // its length and its checksum

}  // namespace

Result<File*> OpenSegments::file(std::uint32_t segment) {
  const auto found = std::find_if(files_.begin(), files_.end(),
                                  [&](const auto& file) { return file.first == segment; });
  if (found != files_.end()) {
    files_.splice(files_.begin(), files_, found);
    return files_.front().second.get();
  }
  Result<std::unique_ptr<File>> opened =
      file_system_.open(path_in(directory_, segment_name(segment)), OpenMode::kRead);
  if (!opened.is_ok()) {
    return opened.status();
  }
  files_.emplace_front(segment, std::move(opened).value());
  if (files_.size() > kOpenSegmentsMax) {
    files_.pop_back();
  }
  return files_.front().second.get();
}

Result<std::string> OpenSegments::read_blob(const Location& location) {
  const Result<File*> opened = file(location.segment);
  if (!opened.is_ok()) {
    return opened.status();
  }
  std::string bytes;
  const std::uint32_t start = location.offset - kBlobPrefixBytes;
  const std::size_t length = location.length + std::size_t{kBlobPrefixBytes};
  if (Status status = opened.value()->read(start, length, bytes); !status.is_ok()) {
    return status;
  }
  const std::string path = path_in(directory_, segment_name(location.segment));
  if (bytes.size() != length) {
    return damaged(path, start,
                   "expected a blob of " + std::to_string(location.length) +
                       " bytes, found the end of the file");
  }
  if (load_u32(bytes.data()) != location.length) {
    return damaged(path, start,
                   "expected a blob of " + std::to_string(location.length) +
                       " bytes, found one of " + std::to_string(load_u32(bytes.data())));
  }
  const std::uint32_t expected = load_u32(bytes.data() + 4);
  bytes.erase(0, kBlobPrefixBytes);
  if (crc32c(bytes) != expected) {
    return damaged(path, location.offset,
                   "expected a blob with checksum " + hexadecimal(expected) + ", found " +
                       hexadecimal(crc32c(bytes)));
  }
  return bytes;
}

void OpenSegments::close_before(std::uint32_t segment) {
  files_.remove_if([&](const auto& file) { return file.first < segment; });
}

}  // namespace assay::journal
