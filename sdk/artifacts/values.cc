// The values of assay/artifacts.h: hashes, names, sources and sinks of bytes.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>
#include <utility>

#include "assay/artifacts.h"
#include "sdk/artifacts/sha256.h"

namespace assay {
namespace {

constexpr std::size_t kNameBytesMax = 180;

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// A descriptor that several copies of a source share.
struct File {
  explicit File(int number) : descriptor(number) {}
  ~File() { close(descriptor); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int descriptor;
};

}  // namespace

std::optional<ArtifactHash> ArtifactHash::parse(std::string_view text) {
  constexpr std::string_view kPrefix = "sha256:";
  if (text.starts_with(kPrefix)) text.remove_prefix(kPrefix.size());
  ArtifactHash hash;
  if (text.size() != hash.bytes.size() * 2) return std::nullopt;
  for (std::size_t i = 0; i < hash.bytes.size(); ++i) {
    const int high = digit(text[2 * i]);
    const int low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    hash.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return hash;
}

std::string ArtifactHash::text() const {
  return artifacts::hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

bool valid_artifact_name(std::string_view name) {
  if (name.empty() || name.size() > kNameBytesMax) return false;
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return false;
  }
  while (true) {
    const std::size_t slash = name.find('/');
    const std::string_view part = name.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    if (slash == std::string_view::npos) return true;
    name.remove_prefix(slash + 1);
  }
}

ByteSource bytes_of(std::string_view bytes) {
  return [bytes](std::span<char> buffer) mutable -> Result<std::size_t> {
    const std::size_t length = std::min(buffer.size(), bytes.size());
    std::copy_n(bytes.data(), length, buffer.data());
    bytes.remove_prefix(length);
    return length;
  };
}

Result<ByteSource> bytes_of_file(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return fix_input("unreadable_file",
                     "cannot read '" + path + "': " + std::generic_category().message(errno));
  }
  // A std::function is copied, and a descriptor must be closed once: the one shared owner here.
  auto file = std::make_shared<File>(descriptor);
  return ByteSource([file, path](std::span<char> buffer) -> Result<std::size_t> {
    ssize_t length = 0;
    do {
      length = read(file->descriptor, buffer.data(), buffer.size());
    } while (length < 0 && errno == EINTR);
    if (length < 0) {
      return fix_input("unreadable_file",
                       "cannot read '" + path + "': " + std::generic_category().message(errno));
    }
    return static_cast<std::size_t>(length);
  });
}

Result<ArtifactInfo> put_text(ArtifactStore& store, std::string_view text) {
  return store.put(bytes_of(text));
}

Result<std::string> get_text(ArtifactStore& store, const ArtifactHash& hash,
                             std::uint64_t bytes_max) {
  const Result<ArtifactInfo> info = store.stat(hash);
  if (!info.is_ok()) return info.status();
  if (info->bytes > bytes_max) {
    return Status(Code::kExhausted, "artifact_too_large",
                  "the artifact " + hash.text() + " has " + std::to_string(info->bytes) +
                      " bytes; at most " + std::to_string(bytes_max) + " are read here");
  }
  std::string text;
  text.reserve(info->bytes);
  Status status = store.get(hash, {}, [&](std::string_view bytes) {
    text += bytes;
    return Status::ok();
  });
  if (!status.is_ok()) return status;
  return text;
}

}  // namespace assay
