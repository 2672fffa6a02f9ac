#include "sdk/build/context_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "assay/build.h"
#include "sdk/build/ignore_rules.h"
#include "sdk/log/printable.h"

namespace assay::build {
namespace {

constexpr std::size_t kIgnoreFileBytesMax = 1U << 20;
constexpr int kDepthMax = 100;

std::string error_text() {
  return std::strerror(errno);  // NOLINT(concurrency-mt-unsafe): glibc's is
}

Status unreadable(const std::string& path, const std::string& why) {
  return fix_input("unreadable_context", "cannot read '" + log::printable(path) + "': " + why);
}

// A whole small file; nothing when there is none, an error when it is too large or no file.
Result<std::string> read_small(int at, const std::string& path, std::size_t bytes_max,
                               bool& there) {
  there = false;
  const int file = open_beneath(at, path, false);
  if (file < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::string();
    return unreadable(path, errno == ELOOP ? "it is a link, which is not followed" : error_text());
  }
  there = true;
  struct stat about {};
  std::string text;
  if (fstat(file, &about) != 0 || !S_ISREG(about.st_mode)) {
    close(file);
    return unreadable(path, "it is no plain file");
  }
  std::array<char, 16384> bytes{};
  ssize_t count = 0;
  while (text.size() <= bytes_max && (count = read(file, bytes.data(), bytes.size())) > 0) {
    text.append(bytes.data(), static_cast<std::size_t>(count));
  }
  close(file);
  if (count < 0) return unreadable(path, "the disk does not give it");
  if (text.size() > bytes_max) return unreadable(path, "it is longer than 1 MiB");
  return text;
}

}  // namespace

int open_beneath(int at, const std::string& path, bool folder) {
  struct open_how how {};
  how.flags = static_cast<std::uint64_t>(O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) |
              static_cast<std::uint64_t>(folder ? O_DIRECTORY : 0);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(
      syscall(SYS_openat2, at, path.empty() ? "." : path.c_str(), &how, sizeof(how)));
}

// Goes through a folder once, in the order of names.
class ContextWalk {
 public:
  ContextWalk(const ContextOptions& options, ContextFolder& out) : options_(options), out_(out) {}

  Status read(const std::string& folder) {
    const int root = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) return unreadable(folder, error_text());
    out_.folder_ = open_beneath(root, options_.subdirectory, true);
    const int error = errno;
    close(root);
    if (out_.folder_ < 0) {
      errno = error;
      const std::string why = error == ELOOP    ? "a link is on the way, which is not followed"
                              : error == ENOENT ? "there is no such folder in the source"
                                                : error_text();
      return unreadable(options_.subdirectory, why);
    }
    Status status = read_dockerfile();
    if (status.is_ok()) status = read_rules();
    if (status.is_ok()) status = read_folder("", 0);
    return status;
  }

 private:
  Status read_dockerfile() {
    if (!options_.dockerfile_text.empty()) {
      out_.dockerfile_ = ".assay.Dockerfile";
      out_.dockerfile_text_ = options_.dockerfile_text;
      out_.adds_dockerfile_ = true;
      return Status::ok();
    }
    out_.dockerfile_ = options_.dockerfile;
    bool there = false;
    Result<std::string> text =
        read_small(out_.folder_, options_.dockerfile, kDockerfileBytesMax, there);
    if (!text.is_ok()) return text.status();
    if (!there) {
      return fix_input("no_dockerfile", "expected a Dockerfile at '" +
                                            log::printable(options_.dockerfile) +
                                            "' of the context, found none");
    }
    out_.dockerfile_text_ = std::move(*text);
    return Status::ok();
  }

  // A file of the Dockerfile's own name goes before the folder's.
  Status read_rules() {
    for (const std::string& name :
         {out_.dockerfile_ + ".dockerignore", std::string(".dockerignore")}) {
      bool there = false;
      const Result<std::string> text = read_small(out_.folder_, name, kIgnoreFileBytesMax, there);
      if (!text.is_ok()) return text.status();
      if (!there) continue;
      Result<IgnoreRules> rules = IgnoreRules::parse(*text);
      if (!rules.is_ok()) return rules.status();
      rules_ = std::move(*rules);
      return Status::ok();
    }
    return Status::ok();
  }

  // The Dockerfile is needed whatever the rules say, and so are the folders above it.
  bool is_needed(const std::string& path) const {
    if (out_.adds_dockerfile_) return false;
    return path == out_.dockerfile_ || out_.dockerfile_.starts_with(path + "/");
  }

  Status read_folder(const std::string& path, int depth) {
    if (depth > kDepthMax) {
      return fix_input("context_too_large", "folders lie deeper than 100 in the context");
    }
    const int folder = open_beneath(out_.folder_, path, true);
    if (folder < 0) return unreadable(path, error_text());
    DIR* const directory = fdopendir(folder);
    if (directory == nullptr) {
      close(folder);
      return unreadable(path, error_text());
    }
    std::vector<std::string> names;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): this stream is nobody else's
    while (const dirent* entry = readdir(directory)) {
      const std::string name = static_cast<const char*>(entry->d_name);
      if (name != "." && name != "..") names.push_back(name);
    }
    closedir(directory);
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
      Status status = read_entry(path.empty() ? name : path + "/" + name, name, depth);
      if (!status.is_ok()) return status;
    }
    return Status::ok();
  }

  Status read_entry(const std::string& path, const std::string& name, int depth) {
    if (options_.without_git && name == ".git") return Status::ok();
    const bool excluded = rules_.excludes(path) && !is_needed(path);
    struct stat about {};
    if (fstatat(out_.folder_, path.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0) {
      return unreadable(path, error_text());
    }
    const bool folder = S_ISDIR(about.st_mode);
    if (excluded) {
      ++out_.ignored_;
      // What an exception takes back may lie below; the archive needs no entry for the folder.
      if (folder && !rules_.excludes_all_below()) return read_folder(path, depth + 1);
      return Status::ok();
    }
    ContextEntry entry;
    entry.path = path;
    entry.mode = about.st_mode & 0777U;
    entry.modified_seconds = about.st_mtim.tv_sec;
    if (folder) {
      entry.kind = ContextEntry::Kind::kFolder;
    } else if (S_ISREG(about.st_mode)) {
      entry.bytes = static_cast<std::uint64_t>(about.st_size);
    } else if (S_ISLNK(about.st_mode)) {
      entry.kind = ContextEntry::Kind::kLink;
      std::array<char, 4096> target{};
      const ssize_t length = readlinkat(out_.folder_, path.c_str(), target.data(), target.size());
      if (length < 0) return unreadable(path, error_text());
      entry.link.assign(target.data(), static_cast<std::size_t>(length));
    } else {
      return unreadable(path, "it is a device, a pipe or a socket, which no image can have");
    }
    Status status = add(std::move(entry));
    return status.is_ok() && folder ? read_folder(path, depth + 1) : status;
  }

  Status add(ContextEntry entry) {
    out_.bytes_ += entry.bytes;
    if (out_.entries_.size() >= options_.limits.entries_max) {
      return fix_input("context_too_large", "the context has more than " +
                                                std::to_string(options_.limits.entries_max) +
                                                " files; leave some out with a .dockerignore");
    }
    if (out_.bytes_ > options_.limits.bytes_max) {
      return fix_input("context_too_large", "the context has more than " +
                                                std::to_string(options_.limits.bytes_max) +
                                                " bytes; leave some out with a .dockerignore");
    }
    out_.entries_.push_back(std::move(entry));
    return Status::ok();
  }

  const ContextOptions& options_;
  ContextFolder& out_;
  IgnoreRules rules_;
};

Result<ContextFolder> ContextFolder::open(const std::string& folder,
                                          const ContextOptions& options) {
  ContextFolder out;
  const Status status = ContextWalk(options, out).read(folder);
  if (!status.is_ok()) return status;
  return out;
}

ContextFolder::ContextFolder(ContextFolder&& other) noexcept {
  *this = std::move(other);
}

ContextFolder& ContextFolder::operator=(ContextFolder&& other) noexcept {
  std::swap(folder_, other.folder_);
  entries_ = std::move(other.entries_);
  bytes_ = other.bytes_;
  ignored_ = other.ignored_;
  dockerfile_ = std::move(other.dockerfile_);
  dockerfile_text_ = std::move(other.dockerfile_text_);
  adds_dockerfile_ = other.adds_dockerfile_;
  return *this;
}

ContextFolder::~ContextFolder() {
  if (folder_ >= 0) close(folder_);
}

}  // namespace assay::build
