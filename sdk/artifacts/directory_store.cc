#include "sdk/artifacts/directory_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <vector>

#include "sdk/artifacts/escaped_name.h"
#include "sdk/artifacts/sha256.h"

namespace assay::artifacts {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPieceBytes = 256U << 10;

Time changed_at(const struct stat& facts) {
  return Time(Duration(static_cast<std::int64_t>(facts.st_mtim.tv_sec) * 1000 +
                       facts.st_mtim.tv_nsec / 1'000'000));
}

Status unknown_artifact(const ArtifactHash& hash) {
  return not_found("unknown_artifact", "there is no artifact " + hash.text());
}

Result<std::vector<std::string>> sorted_entries(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    names.push_back(entry.path().filename().string());
  }
  // What went since it was listed is not there, which is no failure.
  if (error && error != std::errc::no_such_file_or_directory) {
    return storage_error("cannot read", folder, error.value());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

Result<std::unique_ptr<ArtifactStore>> DirectoryStore::open(const std::string& directory) {
  std::error_code error;
  const fs::path root = fs::absolute(directory, error).lexically_normal();
  for (const char* folder : {"objects", "names", "tmp", "damaged"}) {
    Status made = make_folder(root / folder);
    if (!made.is_ok()) return made;
  }
  Status tidy = remove_left_over(root / "tmp");
  if (!tidy.is_ok()) return tidy;
  return std::unique_ptr<ArtifactStore>(new DirectoryStore(root));
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

Status DirectoryStore::remove(const ArtifactHash& hash, Time stored_before) {
  const Result<FolderLock> lock = FolderLock::take(root_ / "lock", true);
  if (!lock.is_ok()) return lock.status();
  const Result<ArtifactInfo> info = stat(hash);
  if (!info.is_ok()) return info.status();
  if (info->stored_at >= stored_before) {
    return {Code::kConflict, "artifact_is_young",
            "the artifact " + hash.text() + " was stored again and is spared"};
  }
  const fs::path path = object(hash);
  if (unlink(path.c_str()) != 0) return storage_error("cannot remove", path, errno);
  return Status::ok();
}

Status DirectoryStore::set_name(const ArtifactName& name, const ArtifactHash& hash) {
  if (!valid_artifact_name(name.name)) {
    return fix_input("invalid_name",
                     "expected a relative name of 1 to 180 bytes without control "
                     "characters, found '" +
                         escape_name(name.name) + "'");
  }
  // So that neither the artifact nor the folder goes before the name stands.
  const Result<FolderLock> lock = FolderLock::take(root_ / "lock", false);
  if (!lock.is_ok()) return lock.status();
  const Result<ArtifactInfo> known = stat(hash);
  if (!known.is_ok()) return known.status();
  const fs::path folder = folder_of(name.task);
  Result<TemporaryFile> file = TemporaryFile::create(root_ / "tmp");
  if (!file.is_ok()) return file.status();
  Status status = file->write(hash.text() + "\n");
  if (status.is_ok()) status = file->flush();
  if (status.is_ok()) status = make_folder(folder);
  if (status.is_ok()) status = file->publish(folder / escape_name(name.name));
  return status.is_ok() ? sync_folder(folder) : status;
}

Result<NamedArtifact> DirectoryStore::find_name(const ArtifactName& name) {
  const auto unknown = [&] {
    return not_found("unknown_name", "there is no artifact with the name " + name.task.text() +
                                         "/" + escape_name(name.name));
  };
  if (!valid_artifact_name(name.name)) return unknown();
  const fs::path path = folder_of(name.task) / escape_name(name.name);
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.is_open()) {
    return errno == ENOENT ? unknown() : storage_error("cannot open", path, errno);
  }
  struct stat facts {};
  std::array<char, 66> text{};
  if (fstat(file.number(), &facts) != 0) return storage_error("cannot read", path, errno);
  const ssize_t length = read(file.number(), text.data(), text.size());
  if (length < 0) return storage_error("cannot read", path, errno);
  const auto hash = ArtifactHash::parse(
      std::string_view(text.data(), static_cast<std::size_t>(std::max<ssize_t>(length - 1, 0))));
  if (!hash) {
    return Status(Code::kDataLoss, "damaged_artifact",
                  "expected a hash in '" + path.string() + "', found something else");
  }
  return NamedArtifact{name, *hash, changed_at(facts)};
}

Status DirectoryStore::visit_names_of(const TaskId& task, const VisitName& visit) {
  const Result<std::vector<std::string>> names = sorted_entries(folder_of(task));
  if (!names.is_ok()) return names.status();
  for (const std::string& escaped : *names) {
    const auto name = unescape_name(escaped);
    if (!name || !valid_artifact_name(*name)) continue;
    const Result<NamedArtifact> named = find_name({task, *name});
    if (!named.is_ok() && named.status().code() == Code::kNotFound) continue;
    if (!named.is_ok()) return named.status();
    Status visited = visit(*named);
    if (!visited.is_ok()) return visited;
  }
  return Status::ok();
}

Status DirectoryStore::list_names(std::optional<TaskId> task, const VisitName& visit) {
  if (task) return visit_names_of(*task, visit);
  const Result<std::vector<std::string>> shards = sorted_entries(root_ / "names");
  if (!shards.is_ok()) return shards.status();
  for (const std::string& shard : *shards) {
    const Result<std::vector<std::string>> tasks = sorted_entries(root_ / "names" / shard);
    if (!tasks.is_ok()) return tasks.status();
    for (const std::string& text : *tasks) {
      const auto id = TaskId::parse(text);
      if (!id) continue;
      Status visited = visit_names_of(*id, visit);
      if (!visited.is_ok()) return visited;
    }
  }
  return Status::ok();
}

Status DirectoryStore::remove_name(const ArtifactName& name) {
  const Result<FolderLock> lock = FolderLock::take(root_ / "lock", true);
  if (!lock.is_ok()) return lock.status();
  const Result<NamedArtifact> known = find_name(name);
  if (!known.is_ok()) return known.status();
  const fs::path folder = folder_of(name.task);
  const fs::path path = folder / escape_name(name.name);
  if (unlink(path.c_str()) != 0 && errno != ENOENT) {
    return storage_error("cannot remove", path, errno);
  }
  rmdir(folder.c_str());  // stays while it has other names
  return Status::ok();
}

}  // namespace assay::artifacts
