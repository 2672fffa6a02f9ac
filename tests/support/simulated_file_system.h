// A disk in memory that behaves as badly as real ones may: it forgets what was not flushed, keeps
// half of it, or keeps its sectors in any order; it fails or dies at the n-th operation; a failed
// flush is never made good by a later one; it can be full; its bits can flip.
#ifndef ASSAY_TESTS_SUPPORT_SIMULATED_FILE_SYSTEM_H_
#define ASSAY_TESTS_SUPPORT_SIMULATED_FILE_SYSTEM_H_

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "broker/journal/file_system.h"

namespace assay::testing {

// What a crash does to what was written and not flushed, names of files included.
enum class Unflushed : std::uint8_t {
  kLost,
  kHalf,      // the first half of the operations, the last of them by half
  kKept,      // as when only the process dies
  kShuffled,  // each sector is kept or lost by itself
};
inline constexpr Unflushed kUnflushedAll[] = {Unflushed::kLost, Unflushed::kHalf, Unflushed::kKept,
                                              Unflushed::kShuffled};
std::string_view to_string(Unflushed unflushed);

class SimulatedFileSystem final : public journal::FileSystem {
 public:
  // `seed` decides what kShuffled keeps.
  explicit SimulatedFileSystem(std::uint64_t seed = 1) : random_(seed) {}

  // Operations that change something (write, sync, reserve, truncate, create, rename, remove, ...)
  // so far.
  std::uint64_t operations() const { return operations_; }
  // The n-th operation from now (1: the next one) fails, having done half of what it should.
  void fail_at(std::uint64_t n) { fail_at_ = operations_ + n; }
  // From the n-th operation on everything fails, until crash().
  void die_at(std::uint64_t n) { die_at_ = operations_ + n; }
  bool is_dead() const { return operations_ >= die_at_; }
  // The machine goes down and comes up: open files and locks are gone, faults are cleared.
  void crash(Unflushed unflushed);
  // The process alone goes down and comes up: the system still knows every write.
  void restart_process();

  void set_capacity(std::uint64_t bytes) { capacity_ = bytes; }
  std::uint64_t used_bytes() const;
  void make_read_only(bool read_only) { read_only_ = read_only; }

  // What a file holds now. Asserts that it exists.
  const std::string& content(const std::string& path) const;
  bool exists(const std::string& path) const { return names_.contains(path); }
  // Changes bytes behind everybody's back, durably; makes the file when there is none.
  void set_content(const std::string& path, std::string_view bytes);
  void flip_bit(const std::string& path, std::uint64_t offset, int bit = 0);
  void zero(const std::string& path, std::uint64_t offset, std::uint64_t bytes);
  // Takes a file away, durably.
  void lose(const std::string& path);

  Result<std::unique_ptr<journal::File>> open(const std::string& path,
                                              journal::OpenMode mode) override;
  Status create_directory(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& directory) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status sync_directory(const std::string& directory) override;
  Result<std::unique_ptr<journal::FileLock>> lock(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& directory) override;

 private:
  friend class SimulatedFile;
  friend class SimulatedLock;

  using InodeId = std::uint64_t;
  struct Change {  // of a file's content
    bool is_truncate = false;
    std::uint64_t offset = 0;  // or the new size
    std::string bytes;
  };
  struct Inode {
    std::string current;  // what a reader sees
    std::string durable;  // what a crash leaves
    std::vector<Change> unflushed;
    std::uint64_t reserved = 0;
  };
  struct NameChange {  // an empty `from`: created; an empty `to`: removed
    std::string from;
    std::string to;
    InodeId inode = 0;
  };
  using Names = std::map<std::string, InodeId>;

  enum class Verdict : std::uint8_t { kGo, kHalf, kRefuse };
  Verdict next_operation();
  Status failed(std::string_view doing, const std::string& path) const;
  std::uint64_t random();
  static void apply(const Change& change, std::string& content);
  static void apply(const NameChange& change, Names& names);
  void change_name(NameChange change);
  void keep_part(Inode& inode, Unflushed unflushed);
  void forget_handles();

  std::map<InodeId, Inode> inodes_;
  Names names_;
  Names durable_names_;
  std::vector<NameChange> unflushed_names_;
  std::set<std::string> locks_;
  InodeId next_inode_ = 1;
  std::uint64_t process_ = 1;  // handles of an earlier one are dead
  std::uint64_t operations_ = 0;
  std::uint64_t fail_at_ = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t die_at_ = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t capacity_ = std::numeric_limits<std::uint64_t>::max();
  bool read_only_ = false;
  std::uint64_t random_;
};

}  // namespace assay::testing

#endif  // ASSAY_TESTS_SUPPORT_SIMULATED_FILE_SYSTEM_H_
