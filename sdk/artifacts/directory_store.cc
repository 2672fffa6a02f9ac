#include "sdk/artifacts/directory_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <system_error>
#include <vector>

#include "sdk/artifacts/directory_entries.h"
#include "sdk/artifacts/sha256.h"

namespace assay::artifacts {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPieceBytes = 256U << 10;
constexpr std::time_t kForsakenAfterSeconds = 600;

Status unknown_artifact(const ArtifactHash& hash) {
  return not_found("unknown_artifact", "there is no artifact " + hash.text());
}

}  // namespace

Result<std::unique_ptr<ArtifactStore>> DirectoryStore::open(const std::string& directory) {
  std::error_code error;
  const fs::path root = fs::absolute(directory, error).lexically_normal();
  for (const char* folder : {"objects", "names", "tmp", "removing", "damaged"}) {
    Status made = make_folder(root / folder);
    if (!made.is_ok()) return made;
  }
  Status tidy = remove_left_over(root / "tmp");
  if (!tidy.is_ok()) return tidy;
  std::unique_ptr<DirectoryStore> store(new DirectoryStore(root));
  tidy = store->put_back_left_over();
  if (!tidy.is_ok()) return tidy;
  return std::unique_ptr<ArtifactStore>(std::move(store));
}

fs::path DirectoryStore::object(const ArtifactHash& hash) const {
  const std::string text = hash.text();
  return root_ / "objects" / text.substr(0, 2) / text;
}

fs::path DirectoryStore::folder_of(const TaskId& task) const {
  const std::string text = task.text();
  return root_ / "names" / text.substr(text.size() - 2) / text;
}

Result<std::uint64_t> DirectoryStore::copy(const ByteSource& source, TemporaryFile& file,
                                           ArtifactHash& hash) {
  Sha256 sum;
  std::uint64_t total = 0;
  std::vector<char> buffer(kPieceBytes);
  while (true) {
    const Result<std::size_t> length = source(buffer);
    if (!length.is_ok()) return length.status();
    if (*length == 0) break;
    const std::string_view piece(buffer.data(), *length);
    sum.add(piece);
    Status written = file.write(piece);
    if (!written.is_ok()) return written;
    total += *length;
  }
  hash = sum.finish();
  return total;
}

Result<ArtifactInfo> DirectoryStore::put(const ByteSource& source) {
  Result<TemporaryFile> file = TemporaryFile::create(root_ / "tmp");
  if (!file.is_ok()) return file.status();
  ArtifactHash hash;
  const Result<std::uint64_t> bytes = copy(source, *file, hash);
  if (!bytes.is_ok()) return bytes.status();
  const fs::path path = object(hash);
  {
    // While this lock is held nobody removes; so what is made young here stays.
    const Result<FolderLock> lock = FolderLock::take(root_ / "lock", false);
    if (!lock.is_ok()) return lock.status();
    struct stat facts {};
    if (lstat(path.c_str(), &facts) == 0 && S_ISREG(facts.st_mode) &&
        static_cast<std::uint64_t>(facts.st_size) == *bytes) {
      if (utimensat(AT_FDCWD, path.c_str(), nullptr, AT_SYMLINK_NOFOLLOW) != 0) {
        return storage_error("cannot touch", path, errno);
      }
      return stat(hash);
    }
  }
  Status status = file->flush();
  if (status.is_ok()) status = make_folder(path.parent_path());
  if (!status.is_ok()) return status;
  const Result<FolderLock> lock = FolderLock::take(root_ / "lock", false);
  if (!lock.is_ok()) return lock.status();
  status = file->publish(path);
  if (status.is_ok()) status = sync_folder(path.parent_path());
  if (!status.is_ok()) return status;
  return stat(hash);
}

Status DirectoryStore::send(const ArtifactInfo& info, ByteRange range, Descriptor& file,
                            const ByteSink& sink) {
  if (range.first > 0 && range.first >= info.bytes) {
    return fix_input("invalid_range", "the range begins at byte " + std::to_string(range.first) +
                                          ", but the artifact has " + std::to_string(info.bytes));
  }
  Sha256 sum;
  std::uint64_t left = std::min(range.bytes, info.bytes - range.first);
  std::uint64_t at = range.first;
  std::vector<char> buffer(kPieceBytes);
  while (left > 0) {
    const ssize_t length =
        pread(file.number(), buffer.data(), std::min<std::uint64_t>(left, buffer.size()),
              static_cast<off_t>(at));
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return storage_error("cannot read", object(info.hash), errno);
    if (length == 0) break;
    const std::string_view piece(buffer.data(), static_cast<std::size_t>(length));
    if (range.is_all()) sum.add(piece);
    Status taken = sink(piece);
    if (!taken.is_ok()) return taken;
    at += static_cast<std::uint64_t>(length);
    left -= static_cast<std::uint64_t>(length);
  }
  if (left == 0 && (!range.is_all() || sum.finish() == info.hash)) return Status::ok();
  const fs::path aside = root_ / "damaged" / info.hash.text();
  const bool moved = rename(object(info.hash).c_str(), aside.c_str()) == 0;
  return {Code::kDataLoss, "damaged_artifact",
          "the artifact " + info.hash.text() + " is not what its hash says" +
              (moved ? "; it is now " + aside.string() : "") + "; store it again to mend it"};
}

Status DirectoryStore::get(const ArtifactHash& hash, ByteRange range, const ByteSink& sink) {
  const fs::path path = object(hash);
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.is_open() && errno == ENOENT) {
    // A task may hold it while somebody still asks whether one does.
    const fs::path aside = root_ / "removing" / hash.text();
    file = Descriptor(::open(aside.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  }
  if (!file.is_open() && errno == ENOENT) {
    // It may have been put back between the two looks.
    file = Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  }
  if (!file.is_open()) {
    return errno == ENOENT ? unknown_artifact(hash) : storage_error("cannot open", path, errno);
  }
  struct stat facts {};
  if (fstat(file.number(), &facts) != 0) return storage_error("cannot read", path, errno);
  return send({hash, static_cast<std::uint64_t>(facts.st_size), changed_at(facts)}, range, file,
              sink);
}

Result<ArtifactInfo> DirectoryStore::stat(const ArtifactHash& hash) {
  const fs::path path = object(hash);
  struct stat facts {};
  if (lstat(path.c_str(), &facts) != 0) {
    if (errno == ENOENT) return unknown_artifact(hash);
    return storage_error("cannot read", path, errno);
  }
  return ArtifactInfo{hash, static_cast<std::uint64_t>(facts.st_size), changed_at(facts)};
}

Status DirectoryStore::list(const Visit& visit) {
  const Result<std::vector<std::string>> shards = sorted_entries(root_ / "objects");
  if (!shards.is_ok()) return shards.status();
  for (const std::string& shard : *shards) {
    if (!fs::is_directory(root_ / "objects" / shard)) continue;  // somebody else's file
    const Result<std::vector<std::string>> names = sorted_entries(root_ / "objects" / shard);
    if (!names.is_ok()) return names.status();
    for (const std::string& name : *names) {
      const auto hash = ArtifactHash::parse(name);
      if (!hash || name != hash->text()) continue;
      const Result<ArtifactInfo> info = stat(*hash);
      if (!info.is_ok() && info.status().code() == Code::kNotFound) continue;
      if (!info.is_ok()) return info.status();
      Status visited = visit(*info);
      if (!visited.is_ok()) return visited;
    }
  }
  return Status::ok();
}

Result<ArtifactInfo> DirectoryStore::touch(const ArtifactHash& hash) {
  const Result<FolderLock> lock = FolderLock::take(root_ / "lock", false);
  if (!lock.is_ok()) return lock.status();
  const fs::path path = object(hash);
  if (utimensat(AT_FDCWD, path.c_str(), nullptr, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? unknown_artifact(hash) : storage_error("cannot touch", path, errno);
  }
  return stat(hash);
}

Status DirectoryStore::remove(const ArtifactHash& hash, Time stored_before,
                              const Confirm& confirm) {
  const fs::path path = object(hash);
  const fs::path aside = root_ / "removing" / hash.text();
  {
    const Result<FolderLock> lock = FolderLock::take(root_ / "lock", true);
    if (!lock.is_ok()) return lock.status();
    const Result<ArtifactInfo> info = stat(hash);
    if (!info.is_ok()) return info.status();
    if (info->stored_at >= stored_before) {
      return {Code::kConflict, "artifact_is_young",
              "the artifact " + hash.text() + " was stored again and is spared"};
    }
    if (!confirm) {
      if (unlink(path.c_str()) == 0) return Status::ok();
      return storage_error("cannot remove", path, errno);
    }
    if (rename(path.c_str(), aside.c_str()) != 0) {
      return storage_error("cannot put out of sight", path, errno);
    }
  }
  const Result<bool> may_go = confirm();
  if (may_go.is_ok() && *may_go) {
    if (unlink(aside.c_str()) == 0) return Status::ok();
    return storage_error("cannot remove", aside, errno);
  }
  Status back = put_back(hash);
  if (!back.is_ok() || !may_go.is_ok()) return back.is_ok() ? may_go.status() : back;
  return {Code::kConflict, "artifact_is_needed", "a task needs the artifact " + hash.text()};
}

// In the place of a copy that was stored meanwhile: the content is the same, and so young from now
// on.
Status DirectoryStore::put_back(const ArtifactHash& hash) {
  const fs::path path = object(hash);
  const fs::path aside = root_ / "removing" / hash.text();
  struct stat facts {};
  if (lstat(path.c_str(), &facts) == 0) {
    unlink(aside.c_str());
    return Status::ok();
  }
  if (rename(aside.c_str(), path.c_str()) == 0) return sync_folder(path.parent_path());
  return errno == ENOENT ? Status::ok() : storage_error("cannot put back", path, errno);
}

// What a remover that was killed left out of sight: an answer takes seconds, so after ten minutes
// there is nobody who waits for one.
Status DirectoryStore::put_back_left_over() {
  const Result<std::vector<std::string>> names = sorted_entries(root_ / "removing");
  if (!names.is_ok()) return names.status();
  for (const std::string& name : *names) {
    const auto hash = ArtifactHash::parse(name);
    struct stat facts {};
    if (!hash || lstat((root_ / "removing" / name).c_str(), &facts) != 0) continue;
    if (facts.st_ctime > std::time(nullptr) - kForsakenAfterSeconds) continue;
    Status back = put_back(*hash);
    if (!back.is_ok()) return back;
  }
  return Status::ok();
}

}  // namespace assay::artifacts
