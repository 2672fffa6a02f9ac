#include "workers/build/source/source.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "sdk/artifacts/sha256.h"
#include "workers/build/descriptor.h"

namespace assay::image_build {
namespace {

namespace fs = std::filesystem;

Status unpack_file(const std::string& path, const std::string& to, const BuildSettings& settings,
                   const std::stop_token& stop) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const ArchiveBytes bytes = [&file](char* at, std::size_t size) -> Result<std::size_t> {
    const ssize_t count = read(file.get(), at, size);
    if (count < 0)
      return internal_error("unreadable_context", "the disk does not give the archive");
    return static_cast<std::size_t>(count);
  };
  return unpack_archive(bytes, to, settings.archive, stop);
}

Status unpack_text(std::string_view archive, const std::string& to, const BuildSettings& settings,
                   const std::stop_token& stop) {
  const ArchiveBytes bytes = [&archive](char* at, std::size_t size) -> Result<std::size_t> {
    const std::size_t count = std::min(size, archive.size());
    std::memcpy(at, archive.data(), count);
    archive.remove_prefix(count);
    return count;
  };
  return unpack_archive(bytes, to, settings.archive, stop);
}

}  // namespace

Result<Source> fetch_source(const BuildRequest& request, const BuildSettings& settings,
                            const std::string& folder, const ReadArtifact& read_artifact,
                            const std::function<void(std::string_view)>& log,
                            const std::stop_token& stop) {
  const std::string files = folder + "/files";
  std::error_code error;
  fs::create_directories(files, error);
  if (error) return internal_error("no_folder", "cannot make " + files + ": " + error.message());
  std::string commit;
  std::string sha256;
  std::optional<Time> committed_at;
  Status status;
  if (!request.git_url.empty()) {
    const GitWanted wanted{request.git_url, request.git_ref, request.submodules};
    Result<GitCommit> fetched = fetch_git(settings.git, wanted, files, folder + "/git", log, stop);
    if (!fetched.is_ok()) return fetched.status();
    commit = fetched->id;
    committed_at = fetched->committed_at;
  } else if (!request.context_archive.empty()) {
    sha256 = artifacts::Sha256::of(request.context_archive).text();
    status = unpack_text(request.context_archive, files, settings, stop);
  } else if (!request.context_artifact.empty()) {
    sha256 = request.context_artifact;
    if (!read_artifact) {
      return fix_input("no_artifact_store",
                       "this worker has no artifact store to take the context from");
    }
    status = read_artifact(sha256, folder + "/archive");
    if (status.is_ok()) status = unpack_file(folder + "/archive", files, settings, stop);
    fs::remove(folder + "/archive", error);
  }
  if (!status.is_ok()) return status;
  build::ContextOptions options;
  options.subdirectory = request.subdirectory;
  options.dockerfile = request.dockerfile;
  options.dockerfile_text = request.dockerfile_text;
  options.without_git = !request.git_url.empty();
  options.limits = settings.context;
  Result<build::ContextFolder> context = build::ContextFolder::open(files, options);
  if (!context.is_ok()) return context.status();
  return Source{commit, sha256, committed_at, std::move(*context)};
}

}  // namespace assay::image_build
