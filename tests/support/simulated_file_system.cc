// Each file keeps what a reader sees, what is durable, and the changes between the two. A flush
// applies the changes; a flush that fails drops them from the list but not from what a reader sees,
// as Linux does.
#include "tests/support/simulated_file_system.h"

#include <algorithm>
#include <set>

namespace assay::testing {

using journal::File;
using journal::FileLock;
using journal::OpenMode;

namespace {

constexpr std::uint64_t kSectorBytes = 512;

Status disk_full(const std::string& path) {
  return {Code::kExhausted, std::string(journal::kReasonDiskFull),
          "cannot write to " + path + ": the simulated disk is full"};
}

}  // namespace

class SimulatedFile final : public File {
 public:
  SimulatedFile(SimulatedFileSystem& file_system, SimulatedFileSystem::InodeId inode,
                std::string path, bool writable)
      : fs_(file_system),
        inode_(inode),
        path_(std::move(path)),
        writable_(writable),
        process_(file_system.process_) {}

  Status write(std::uint64_t offset, std::span<const std::string_view> pieces) override;
  Status read(std::uint64_t offset, std::size_t length, std::string& into) override;
  Status sync() override;
  Status reserve(std::uint64_t bytes) override;
  Status truncate(std::uint64_t bytes) override;
  Result<std::uint64_t> size() override { return inode().current.size(); }

 private:
  using Verdict = SimulatedFileSystem::Verdict;
  SimulatedFileSystem::Inode& inode() {
    ASSAY_ASSERT(process_ == fs_.process_);  // the test used a file of a process that is gone
    return fs_.inodes_.at(inode_);
  }
  void change(SimulatedFileSystem::Change change) {
    SimulatedFileSystem::apply(change, inode().current);
    inode().unflushed.push_back(std::move(change));
  }

  SimulatedFileSystem& fs_;
  SimulatedFileSystem::InodeId inode_;
  std::string path_;
  bool writable_;
  std::uint64_t process_;
};

Status SimulatedFile::write(std::uint64_t offset, std::span<const std::string_view> pieces) {
  ASSAY_ASSERT(writable_);
  std::string bytes;
  for (const std::string_view piece : pieces) {
    bytes += piece;
  }
  const std::uint64_t end = offset + bytes.size();
  const std::uint64_t have = std::max<std::uint64_t>(inode().current.size(), inode().reserved);
  if (end > have && fs_.used_bytes() + (end - have) > fs_.capacity_) {
    return disk_full(path_);
  }
  const Verdict verdict = fs_.next_operation();
  if (verdict == Verdict::kRefuse) {
    return fs_.failed("write to", path_);
  }
  if (verdict == Verdict::kHalf) {
    bytes.resize(bytes.size() / 2);
  }
  change({.is_truncate = false, .offset = offset, .bytes = std::move(bytes)});
  return verdict == Verdict::kGo ? Status::ok() : fs_.failed("write to", path_);
}

Status SimulatedFile::read(std::uint64_t offset, std::size_t length, std::string& into) {
  const std::string& content = inode().current;
  into = offset < content.size() ? content.substr(offset, length) : std::string();
  return Status::ok();
}

Status SimulatedFile::sync() {
  const Verdict verdict = fs_.next_operation();
  if (verdict == Verdict::kRefuse) {
    return fs_.failed("flush", path_);
  }
  SimulatedFileSystem::Inode& file = inode();
  const std::size_t count =
      verdict == Verdict::kGo ? file.unflushed.size() : file.unflushed.size() / 2;
  for (std::size_t i = 0; i < count; ++i) {
    SimulatedFileSystem::apply(file.unflushed[i], file.durable);
  }
  if (verdict == Verdict::kHalf && fs_.is_dead()) {
    return fs_.failed("flush", path_);  // the changes may still reach the disk
  }
  file.unflushed.clear();
  return verdict == Verdict::kGo ? Status::ok() : fs_.failed("flush", path_);
}

Status SimulatedFile::reserve(std::uint64_t bytes) {
  const std::uint64_t have = std::max<std::uint64_t>(inode().current.size(), inode().reserved);
  if (bytes > have && fs_.used_bytes() + (bytes - have) > fs_.capacity_) {
    return disk_full(path_);
  }
  if (fs_.next_operation() != Verdict::kGo) {
    return fs_.failed("reserve space for", path_);
  }
  inode().reserved = std::max(inode().reserved, bytes);
  return Status::ok();
}

Status SimulatedFile::truncate(std::uint64_t bytes) {
  ASSAY_ASSERT(writable_);
  if (fs_.next_operation() != Verdict::kGo) {
    return fs_.failed("truncate", path_);
  }
  change({.is_truncate = true, .offset = bytes, .bytes = {}});
  inode().reserved = std::min(inode().reserved, bytes);
  return Status::ok();
}

class SimulatedLock final : public FileLock {
 public:
  SimulatedLock(SimulatedFileSystem& file_system, std::string path)
      : fs_(file_system), path_(std::move(path)), process_(file_system.process_) {}
  SimulatedLock(const SimulatedLock&) = delete;
  SimulatedLock& operator=(const SimulatedLock&) = delete;
  ~SimulatedLock() override {
    if (process_ == fs_.process_) {
      fs_.locks_.erase(path_);
    }
  }

 private:
  SimulatedFileSystem& fs_;
  std::string path_;
  std::uint64_t process_;
};

std::string_view to_string(Unflushed unflushed) {
  switch (unflushed) {
    case Unflushed::kLost:
      return "lost";
    case Unflushed::kHalf:
      return "half kept";
    case Unflushed::kKept:
      return "kept";
    case Unflushed::kShuffled:
      return "shuffled";
  }
  return "?";
}

std::uint64_t SimulatedFileSystem::random() {
  random_ = random_ * 6364136223846793005 + 1442695040888963407;
  return random_ >> 33;
}

SimulatedFileSystem::Verdict SimulatedFileSystem::next_operation() {
  ++operations_;
  if (operations_ > die_at_) {
    return Verdict::kRefuse;
  }
  return operations_ == die_at_ || operations_ == fail_at_ ? Verdict::kHalf : Verdict::kGo;
}

Status SimulatedFileSystem::failed(std::string_view doing, const std::string& path) const {
  return {Code::kInternal, std::string(journal::kReasonInputOutput),
          "cannot " + std::string(doing) + " " + path + ": simulated failure of operation " +
              std::to_string(operations_)};
}

void SimulatedFileSystem::apply(const Change& change, std::string& content) {
  if (change.is_truncate) {
    content.resize(change.offset);
    return;
  }
  content.resize(std::max<std::size_t>(content.size(), change.offset + change.bytes.size()));
  content.replace(change.offset, change.bytes.size(), change.bytes);
}

void SimulatedFileSystem::apply(const NameChange& change, Names& names) {
  names.erase(change.from);
  if (!change.to.empty()) {
    names[change.to] = change.inode;
  }
}

void SimulatedFileSystem::change_name(NameChange change) {
  apply(change, names_);
  unflushed_names_.push_back(std::move(change));
}

std::uint64_t SimulatedFileSystem::used_bytes() const {
  std::uint64_t used = 0;
  for (const auto& [name, id] : names_) {
    const Inode& inode = inodes_.at(id);
    used += std::max<std::uint64_t>(inode.current.size(), inode.reserved);
  }
  return used;
}

void SimulatedFileSystem::forget_handles() {
  ++process_;
  locks_.clear();
  fail_at_ = die_at_ = std::numeric_limits<std::uint64_t>::max();
}

void SimulatedFileSystem::restart_process() {
  forget_handles();
}

void SimulatedFileSystem::keep_part(Inode& inode, Unflushed unflushed) {
  const std::size_t count = inode.unflushed.size();
  for (std::size_t i = 0; i < count; ++i) {
    Change change = inode.unflushed[i];
    switch (unflushed) {
      case Unflushed::kLost:
        return;
      case Unflushed::kKept:
        break;
      case Unflushed::kHalf:
        if (i > count / 2) {
          return;
        }
        if (i == count / 2) {
          change.bytes.resize(change.bytes.size() / 2);
        }
        break;
      case Unflushed::kShuffled: {
        if (change.is_truncate) {
          break;
        }
        for (std::size_t at = 0; at < change.bytes.size(); at += kSectorBytes) {
          if (random() % 2 == 0) {
            apply({.is_truncate = false,
                   .offset = change.offset + at,
                   .bytes = change.bytes.substr(at, kSectorBytes)},
                  inode.durable);
          }
        }
        continue;
      }
    }
    apply(change, inode.durable);
  }
}

void SimulatedFileSystem::crash(Unflushed unflushed) {
  forget_handles();
  for (auto& [id, inode] : inodes_) {
    keep_part(inode, unflushed);
    inode.unflushed.clear();
    inode.current = inode.durable;
  }
  // A directory is journaled by every file system worth running on: its changes are lost from the
  // end.
  std::size_t names_kept = unflushed_names_.size();
  if (unflushed == Unflushed::kLost) {
    names_kept = 0;
  } else if (unflushed == Unflushed::kHalf) {
    names_kept /= 2;
  } else if (unflushed == Unflushed::kShuffled) {
    names_kept = random() % (names_kept + 1);
  }
  for (std::size_t i = 0; i < names_kept; ++i) {
    apply(unflushed_names_[i], durable_names_);
  }
  unflushed_names_.clear();
  names_ = durable_names_;
}

const std::string& SimulatedFileSystem::content(const std::string& path) const {
  ASSAY_ASSERT(names_.contains(path));
  return inodes_.at(names_.at(path)).current;
}

void SimulatedFileSystem::set_content(const std::string& path, std::string_view bytes) {
  if (!names_.contains(path)) {
    inodes_[next_inode_] = {};
    names_[path] = durable_names_[path] = next_inode_++;
  }
  Inode& inode = inodes_.at(names_.at(path));
  inode.current = inode.durable = std::string(bytes);
  inode.unflushed.clear();
}

void SimulatedFileSystem::flip_bit(const std::string& path, std::uint64_t offset, int bit) {
  std::string bytes = content(path);
  bytes.at(offset) = static_cast<char>(bytes.at(offset) ^ (1 << bit));
  set_content(path, bytes);
}

void SimulatedFileSystem::zero(const std::string& path, std::uint64_t offset, std::uint64_t bytes) {
  std::string zeroed = content(path);
  zeroed.replace(offset, bytes, bytes, '\0');
  set_content(path, zeroed);
}

void SimulatedFileSystem::lose(const std::string& path) {
  names_.erase(path);
  durable_names_.erase(path);
}

Result<std::unique_ptr<File>> SimulatedFileSystem::open(const std::string& path, OpenMode mode) {
  const bool writable = mode != OpenMode::kRead;
  if (writable && read_only_) {
    return fix_input(std::string(journal::kReasonPermission), "cannot open " + path);
  }
  if (mode == OpenMode::kCreate) {
    if (next_operation() != Verdict::kGo) {
      return failed("create", path);
    }
    // A new file and one that is emptied are the same here: whoever empties a file means to replace
    // it.
    inodes_[next_inode_] = {};
    change_name({.from = "", .to = path, .inode = next_inode_++});
  }
  const auto found = names_.find(path);
  if (found == names_.end()) {
    return not_found(std::string(journal::kReasonFileNotFound), "cannot open " + path);
  }
  return std::unique_ptr<File>(
      std::make_unique<SimulatedFile>(*this, found->second, path, writable));
}

Status SimulatedFileSystem::create_directory(const std::string& /*path*/) {
  return Status::ok();
}

Result<std::vector<std::string>> SimulatedFileSystem::list(const std::string& directory) {
  std::set<std::string> names;
  for (const auto& [path, inode] : names_) {
    if (!path.starts_with(directory + "/")) continue;
    const std::string below = path.substr(directory.size() + 1);
    names.insert(below.substr(0, below.find('/')));  // a file, or a directory of files
  }
  return std::vector<std::string>(names.begin(), names.end());
}

Status SimulatedFileSystem::rename(const std::string& from, const std::string& to) {
  if (next_operation() != Verdict::kGo) {
    return failed("rename", from);
  }
  if (!names_.contains(from)) {
    return not_found(std::string(journal::kReasonFileNotFound), "cannot rename " + from);
  }
  change_name({.from = from, .to = to, .inode = names_.at(from)});
  return Status::ok();
}

Status SimulatedFileSystem::remove(const std::string& path) {
  if (next_operation() != Verdict::kGo) {
    return failed("remove", path);
  }
  if (!names_.contains(path)) {
    return not_found(std::string(journal::kReasonFileNotFound), "cannot remove " + path);
  }
  change_name({.from = path, .to = "", .inode = 0});
  return Status::ok();
}

Status SimulatedFileSystem::sync_directory(const std::string& directory) {
  const Verdict verdict = next_operation();
  if (verdict == Verdict::kRefuse) {
    return failed("flush directory", directory);
  }
  const std::size_t count =
      verdict == Verdict::kGo ? unflushed_names_.size() : unflushed_names_.size() / 2;
  for (std::size_t i = 0; i < count; ++i) {
    apply(unflushed_names_[i], durable_names_);
  }
  unflushed_names_.erase(unflushed_names_.begin(),
                         unflushed_names_.begin() + static_cast<std::ptrdiff_t>(count));
  return verdict == Verdict::kGo ? Status::ok() : failed("flush directory", directory);
}

Result<std::unique_ptr<FileLock>> SimulatedFileSystem::lock(const std::string& path) {
  if (read_only_) {
    return fix_input(std::string(journal::kReasonPermission), "cannot open " + path);
  }
  if (!locks_.insert(path).second) {
    return Status(Code::kConflict, std::string(journal::kReasonLocked), path + " is locked");
  }
  return std::unique_ptr<FileLock>(std::make_unique<SimulatedLock>(*this, path));
}

Result<std::uint64_t> SimulatedFileSystem::free_bytes(const std::string& /*directory*/) {
  return capacity_ - std::min(capacity_, used_bytes());
}

}  // namespace assay::testing
