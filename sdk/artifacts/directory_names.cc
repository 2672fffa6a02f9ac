// The names of artifacts in a directory: a small file each.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "sdk/artifacts/directory_entries.h"
#include "sdk/artifacts/directory_store.h"
#include "sdk/artifacts/escaped_name.h"

namespace assay::artifacts {

namespace fs = std::filesystem;

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
