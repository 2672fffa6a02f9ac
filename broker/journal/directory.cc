// Names, the manifest, and segments before their first batch.
#include "broker/journal/directory.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace assay::journal {
namespace {

constexpr std::string_view kSegmentPrefix = "journal-";
constexpr std::string_view kSparePrefix = "spare-";
constexpr std::string_view kSuffix = ".log";
constexpr std::size_t kDigits = 10;

Status refuse(const std::string& path, const Malformed& malformed) {
  if (malformed.newer_version) {
    return fix_input(std::string(kReasonVersion),
                     path + ": " + malformed.what +
                         "; this assay (" ASSAY_VERSION
                         ") is older than the one that wrote it: run that one or a later one");
  }
  return damaged(path, 0, malformed.what);
}

// A name like "journal-0000000001.log".
std::string numbered(std::string_view prefix, std::uint64_t number) {
  const std::string digits = std::to_string(number);
  return std::string(prefix) + std::string(kDigits - std::min(kDigits, digits.size()), '0') +
         digits + std::string(kSuffix);
}

std::optional<std::uint64_t> number_in(std::string_view name, std::string_view prefix) {
  if (name.size() != prefix.size() + kDigits + kSuffix.size() || !name.starts_with(prefix) ||
      !name.ends_with(kSuffix)) {
    return std::nullopt;
  }
  const std::string_view digits = name.substr(prefix.size(), kDigits);
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size() || number == 0) {
    return std::nullopt;
  }
  return number;
}

// The file for the next manifest, with its space taken: made already, unless something removed it.
Result<std::unique_ptr<File>> open_new_manifest(FileSystem& file_system, const std::string& path) {
  Result<std::unique_ptr<File>> file = file_system.open(path, OpenMode::kReadWrite);
  return file.status().code() == Code::kNotFound ? file_system.open(path, OpenMode::kCreate)
                                                 : std::move(file);
}

}  // namespace

std::string path_in(const std::string& directory, std::string_view name) {
  return directory + "/" + std::string(name);
}

std::string segment_name(std::uint32_t number) {
  return numbered(kSegmentPrefix, number);
}

std::optional<std::uint32_t> segment_number(std::string_view name) {
  const std::optional<std::uint64_t> number = number_in(name, kSegmentPrefix);
  if (!number || *number > UINT32_MAX) {
    return std::nullopt;
  }
  return static_cast<std::uint32_t>(*number);
}

std::string spare_name(std::uint64_t number) {
  return numbered(kSparePrefix, number);
}

std::optional<std::uint64_t> spare_number(std::string_view name) {
  return number_in(name, kSparePrefix);
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
  const Result<std::unique_ptr<File>> file = open_new_manifest(file_system, fresh);
  if (!file.is_ok()) {
    return file.status();
  }
  const std::array<std::string_view, 1> pieces{std::string_view(bytes.data(), bytes.size())};
  if (Status status = file.value()->write(0, pieces); !status.is_ok()) {
    return status;
  }
  if (Status status = file.value()->sync(); !status.is_ok()) {
    return status;
  }
  if (Status status = file_system.rename(fresh, path_in(directory, kManifestName));
      !status.is_ok()) {
    return status;
  }
  if (Status status = file_system.sync_directory(directory); !status.is_ok()) {
    return status;
  }
  prepare_manifest(file_system, directory);
  return Status::ok();
}

void prepare_manifest(FileSystem& file_system, const std::string& directory) {
  const Result<std::unique_ptr<File>> next =
      open_new_manifest(file_system, path_in(directory, kManifestNewName));
  if (next.is_ok()) {
    static_cast<void>(next.value()->reserve(kManifestBytes));
  }
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
