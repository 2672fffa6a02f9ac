#include "workers/build/source/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "sdk/build/build_rules.h"
#include "sdk/build/context_folder.h"
#include "sdk/log/printable.h"
#include "workers/build/descriptor.h"

namespace assay::image_build {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{64} << 10;

std::string error_text() {
  return std::strerror(errno);  // NOLINT(concurrency-mt-unsafe): glibc's is
}

Status unsafe(std::string_view path, const std::string& why) {
  return fix_input("unsafe_archive",
                   "the archive's entry '" + log::printable(path.substr(0, 300)) + "': " + why);
}

// "./a/b/" -> "a/b"; "." -> "".
std::string_view bare(std::string_view path) {
  while (path.starts_with("./")) path.remove_prefix(2);
  while (path.size() > 1 && path.ends_with("/")) path.remove_suffix(1);
  return path == "." ? std::string_view() : path;
}

struct Freed {
  void operator()(struct archive* archive) const { archive_read_free(archive); }
};

class Unpacking {
 public:
  Unpacking(const ArchiveBytes& bytes, const ArchiveLimits& limits, const std::stop_token& stop)
      : bytes_(bytes), limits_(limits), stop_(stop), archive_(archive_read_new()) {
    archive_read_support_format_tar(archive_.get());
    archive_read_support_filter_gzip(archive_.get());
    archive_read_support_filter_zstd(archive_.get());
  }

  Status into(const std::string& folder) {
    folder_ = Descriptor(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder_.get() < 0) return internal_error("no_folder", folder + ": " + error_text());
    if (archive_read_open(archive_.get(), this, nullptr, read_more, nullptr) != ARCHIVE_OK) {
      return damaged();
    }
    std::size_t entries = 0;
    archive_entry* entry = nullptr;
    while (true) {
      if (stop_.stop_requested()) return Status(Code::kRetryCall, "stopped", "stopped");
      const int result = archive_read_next_header(archive_.get(), &entry);
      if (result == ARCHIVE_EOF) break;
      if (result < ARCHIVE_WARN) return damaged();
      if (++entries > limits_.entries_max) {
        return fix_input("context_too_large", "the archive has more than " +
                                                  std::to_string(limits_.entries_max) + " entries");
      }
      Status status = unpack(entry);
      if (!status.is_ok()) return status;
    }
    return failure_;
  }

 private:
  static la_ssize_t read_more(struct archive*, void* self, const void** bytes) {
    auto* const unpacking = static_cast<Unpacking*>(self);
    const Result<std::size_t> count =
        unpacking->bytes_(unpacking->piece_.data(), unpacking->piece_.size());
    if (!count.is_ok()) {
      unpacking->failure_ = count.status();
      return -1;
    }
    unpacking->packed_ += *count;
    *bytes = unpacking->piece_.data();
    return static_cast<la_ssize_t>(*count);
  }

  Status damaged() const {
    if (!failure_.is_ok()) return failure_;
    const char* text = archive_error_string(archive_.get());
    return fix_input("damaged_archive",
                     std::string("expected a tar archive, plain or compressed by gzip or zstd: ") +
                         (text == nullptr ? "it ends too early" : text));
  }

  Status unpack(archive_entry* entry) {
    const char* raw = archive_entry_pathname(entry);
    if (raw == nullptr) return unsafe("", "it has no name");
    const std::string path(bare(raw));
    if (path.empty()) return Status::ok();  // the folder itself
    if (const std::string problem = build::context_path_problem(path); !problem.empty()) {
      return unsafe(raw, problem);
    }
    Status status = make_folders_above(path);
    if (!status.is_ok()) return status;
    if (const char* target = archive_entry_hardlink(entry)) return hard_link(path, target);
    const mode_t mode = archive_entry_perm(entry) & 0777U;
    switch (archive_entry_filetype(entry)) {
      case AE_IFREG:
        return file(path, mode | 0400U, archive_entry_mtime(entry));
      case AE_IFDIR:
        return folder(path, mode | 0700U);
      case AE_IFLNK:
        return link(path, archive_entry_symlink(entry));
      default:
        return unsafe(raw, "it is a device, a pipe or a socket; expected files, folders and links");
    }
  }

  // The folder that `path` lies in, reached through no link.
  Descriptor above(const std::string& path, std::string& name) const {
    const std::size_t slash = path.rfind('/');
    name = slash == std::string::npos ? path : path.substr(slash + 1);
    return Descriptor(build::open_beneath(
        folder_.get(), slash == std::string::npos ? "" : path.substr(0, slash), true));
  }

  Status make_folders_above(const std::string& path) {
    for (std::size_t slash = path.find('/'); slash != std::string::npos;
         slash = path.find('/', slash + 1)) {
      const std::string part = path.substr(0, slash);
      const Descriptor there(build::open_beneath(folder_.get(), part, true));
      if (there.get() >= 0) continue;
      if (errno != ENOENT) return unsafe(path, "a link or a file stands where it needs a folder");
      Status status = folder(part, 0755);
      if (!status.is_ok()) return status;
    }
    return Status::ok();
  }

  Status folder(const std::string& path, mode_t mode) const {
    std::string name;
    const Descriptor at = above(path, name);
    if (at.get() >= 0 && (mkdirat(at.get(), name.c_str(), mode) == 0 || errno == EEXIST)) {
      const Descriptor there(build::open_beneath(folder_.get(), path, true));
      if (there.get() >= 0) return Status::ok();
    }
    return unsafe(path, "it cannot be a folder here: " + error_text());
  }

  Status link(const std::string& path, const char* target) const {
    if (target == nullptr || *target == '\0') return unsafe(path, "a link to nothing");
    std::string name;
    const Descriptor at = above(path, name);
    unlinkat(at.get(), name.c_str(), 0);
    if (symlinkat(target, at.get(), name.c_str()) == 0) return Status::ok();
    return unsafe(path, error_text());
  }

  Status hard_link(const std::string& path, const char* raw_target) const {
    const std::string target(bare(raw_target));
    if (const std::string problem = build::context_path_problem(target); !problem.empty()) {
      return unsafe(path,
                    "it links to '" + log::printable(target.substr(0, 300)) + "': " + problem);
    }
    const Descriptor file(build::open_beneath(folder_.get(), target, false));
    struct stat about {};
    if (file.get() < 0 || fstat(file.get(), &about) != 0 || !S_ISREG(about.st_mode)) {
      return unsafe(path, "it links to '" + log::printable(target.substr(0, 300)) +
                              "', which is no file of the archive before it");
    }
    std::string name;
    std::string target_name;
    const Descriptor at = above(path, name);
    const Descriptor target_at = above(target, target_name);
    if (path == target) return Status::ok();
    unlinkat(at.get(), name.c_str(), 0);
    if (linkat(target_at.get(), target_name.c_str(), at.get(), name.c_str(), 0) == 0) {
      return Status::ok();
    }
    return unsafe(path, error_text());
  }

  Status file(const std::string& path, mode_t mode, time_t modified) {
    std::string name;
    const Descriptor at = above(path, name);
    unlinkat(at.get(), name.c_str(), 0);  // a later entry of that name takes its place
    const Descriptor to(
        openat(at.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (to.get() < 0) return unsafe(path, error_text());
    while (true) {
      std::array<char, kPieceBytes> bytes{};
      const la_ssize_t count = archive_read_data(archive_.get(), bytes.data(), bytes.size());
      if (count < 0) return damaged();
      if (count == 0) break;
      Status status = check_size(static_cast<std::uint64_t>(count));
      if (!status.is_ok()) return status;
      if (write(to.get(), bytes.data(), static_cast<std::size_t>(count)) != count) {
        return internal_error("disk_full", "cannot write the context: " + error_text());
      }
    }
    const std::array<timespec, 2> times{{{0, UTIME_OMIT}, {modified, 0}}};
    futimens(to.get(), times.data());
    return Status::ok();
  }

  Status check_size(std::uint64_t count) {
    if (stop_.stop_requested()) return Status(Code::kRetryCall, "stopped", "stopped");
    unpacked_ += count;
    if (unpacked_ > limits_.bytes_max) {
      return fix_input("context_too_large", "the archive unpacks to more than " +
                                                std::to_string(limits_.bytes_max) + " bytes");
    }
    if (unpacked_ > limits_.expansion_free && unpacked_ / limits_.expansion_max > packed_) {
      return fix_input("context_too_large",
                       "the archive unpacks to more than " + std::to_string(limits_.expansion_max) +
                           " times its size, as only one made to fill disks does");
    }
    return Status::ok();
  }

  const ArchiveBytes& bytes_;
  const ArchiveLimits& limits_;
  const std::stop_token& stop_;
  std::unique_ptr<struct archive, Freed> archive_;
  std::array<char, kPieceBytes> piece_{};
  Descriptor folder_;
  std::uint64_t packed_ = 0;
  std::uint64_t unpacked_ = 0;
  Status failure_;
};

}  // namespace

Status unpack_archive(const ArchiveBytes& bytes, const std::string& folder,
                      const ArchiveLimits& limits, const std::stop_token& stop) {
  return Unpacking(bytes, limits, stop).into(folder);
}

}  // namespace assay::image_build
