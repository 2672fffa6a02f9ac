// Names, the manifest, and segments before their first batch.
#include "broker/journal/directory.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace assay::journal {
namespace {

constexpr std::string_view kSegmentPrefix = "journal-";
constexpr std::string_view kSegmentSuffix = ".log";
constexpr std::size_t kSegmentDigits = 10;

Status refuse(const std::string& path, const Malformed& malformed) {
  if (malformed.newer_version) {
    return fix_input(std::string(kReasonVersion),
                     path + ": " + malformed.what +
                         "; this assay (" ASSAY_VERSION
                         ") is older than the one that wrote it: run that one or a later one");
  }
  return damaged(path, 0, malformed.what);
}

Status write_whole(FileSystem& file_system, const std::string& path, std::string_view content) {
  Result<std::unique_ptr<File>> file = file_system.open(path, OpenMode::kCreate);
  if (!file.is_ok()) {
    return file.status();
  }
  const std::array pieces{content};
  if (Status status = (*file)->write(0, pieces); !status.is_ok()) {
    return status;
  }
  return (*file)->sync();
}

}  // namespace

std::string path_in(const std::string& directory, std::string_view name) {
  return directory + "/" + std::string(name);
}

std::string segment_name(std::uint32_t number) {
  const std::string digits = std::to_string(number);
  return std::string(kSegmentPrefix) + std::string(kSegmentDigits - digits.size(), '0') + digits +
         std::string(kSegmentSuffix);
}

std::optional<std::uint32_t> segment_number(std::string_view name) {
  if (name.size() != kSegmentPrefix.size() + kSegmentDigits + kSegmentSuffix.size() ||
      !name.starts_with(kSegmentPrefix) || !name.ends_with(kSegmentSuffix)) {
    return std::nullopt;
  }
  const std::string_view digits = name.substr(kSegmentPrefix.size(), kSegmentDigits);
  std::uint32_t number = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size() || number == 0) {
    return std::nullopt;
  }
  return number;
}

Result<std::vector<std::uint32_t>> list_segments(FileSystem& file_system,
                                                 const std::string& directory) {
  const Result<std::vector<std::string>> names = file_system.list(directory);
  if (!names.is_ok()) {
    return names.status();
  }
  std::vector<std::uint32_t> numbers;
  for (const std::string& name : names.value()) {
    if (const std::optional<std::uint32_t> number = segment_number(name)) {
      numbers.push_back(*number);
    }
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

Result<std::optional<Manifest>> read_manifest(FileSystem& file_system,
                                              const std::string& directory) {
  const std::string path = path_in(directory, kManifestName);
  Result<std::unique_ptr<File>> file = file_system.open(path, OpenMode::kRead);
  if (!file.is_ok()) {
    if (file.status().code() == Code::kNotFound) {
      return std::optional<Manifest>();
    }
    return file.status();
  }
  std::string bytes;
  if (Status status = (*file)->read(0, kManifestBytes, bytes); !status.is_ok()) {
    return status;
  }
  const Decoded<Manifest> decoded = decode_manifest(bytes);
  if (!decoded.header) {
    return refuse(path, decoded.malformed);
  }
  return std::optional<Manifest>(*decoded.header);
}

Status write_manifest(FileSystem& file_system, const std::string& directory,
                      const Manifest& manifest) {
  std::array<char, kManifestBytes> bytes{};
  encode(manifest, bytes);
  const std::string fresh = path_in(directory, kManifestNewName);
  if (Status status = write_whole(file_system, fresh, {bytes.data(), bytes.size()});
      !status.is_ok()) {
    return status;
  }
  if (Status status = file_system.rename(fresh, path_in(directory, kManifestName));
      !status.is_ok()) {
    return status;
  }
  return file_system.sync_directory(directory);
}

Result<std::unique_ptr<File>> create_segment(FileSystem& file_system, const std::string& directory,
                                             const SegmentHeader& header, std::uint64_t capacity,
                                             std::uint64_t zeros) {
  const std::string next = path_in(directory, kNextName);
  Result<std::unique_ptr<File>> file = file_system.open(next, OpenMode::kCreate);
  if (!file.is_ok()) {
    return file;
  }
  if (Status status = (*file)->reserve(capacity); !status.is_ok()) {
    return status;
  }
  std::string start(std::max<std::uint64_t>(kSegmentHeaderBytes, zeros), '\0');
  encode(header, std::span<char, kSegmentHeaderBytes>(start.data(), kSegmentHeaderBytes));
  const std::array<std::string_view, 1> pieces{start};
  if (Status status = (*file)->write(0, pieces); !status.is_ok()) {
    return status;
  }
  if (Status status = (*file)->sync(); !status.is_ok()) {
    return status;
  }
  if (Status status = file_system.rename(next, path_in(directory, segment_name(header.number)));
      !status.is_ok()) {
    return status;
  }
  if (Status status = file_system.sync_directory(directory); !status.is_ok()) {
    return status;
  }
  return file;
}

Status load_segment(FileSystem& file_system, const std::string& directory, std::uint32_t number,
                    std::uint64_t journal_id, LoadedSegment& into) {
  const std::string path = path_in(directory, segment_name(number));
  Result<std::unique_ptr<File>> file = file_system.open(path, OpenMode::kRead);
  if (!file.is_ok()) {
    if (file.status().code() == Code::kNotFound) {
      return damaged(path, 0, "expected this segment between its neighbours, found no such file");
    }
    return file.status();
  }
  const Result<std::uint64_t> size = (*file)->size();
  if (!size.is_ok()) {
    return size.status();
  }
  if (size.value() > kSegmentBytesMax) {
    return damaged(path, kSegmentBytesMax,
                   "expected a segment of at most " + std::to_string(kSegmentBytesMax) +
                       " bytes, found " + std::to_string(size.value()));
  }
  if (Status status = (*file)->read(0, size.value(), into.bytes); !status.is_ok()) {
    return status;
  }
  const Decoded<SegmentHeader> decoded = decode_segment_header(into.bytes);
  if (!decoded.header) {
    return refuse(path, decoded.malformed);
  }
  into.header = *decoded.header;
  if (into.header.number != number) {
    return damaged(path, 0,
                   "expected segment " + std::to_string(number) + ", found segment " +
                       std::to_string(into.header.number) + " (a renamed file?)");
  }
  if (into.header.journal_id != journal_id) {
    return damaged(path, 0,
                   "expected a segment of journal " + hexadecimal(journal_id) +
                       ", found one of journal " + hexadecimal(into.header.journal_id));
  }
  return Status::ok();
}

Status damaged(const std::string& path, std::uint64_t offset, std::string_view what) {
  return {Code::kDataLoss, std::string(kReasonDamaged),
          path + " is damaged at offset " + std::to_string(offset) + ": " + std::string(what) +
              "; restore a backup, or run assay-broker --verify to see all damage and --repair to "
              "keep what is intact"};
}

}  // namespace assay::journal
