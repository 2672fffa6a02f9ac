#include "workers/eval/executor/local/pod_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace assay::eval {
namespace {

Status failed(const std::string& what) {
  return retry_later("pod_failed", what + ": " + std::strerror(errno));
}

Descriptor open_folder(int parent, const char* name) {
  return Descriptor(openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

void remove_all(const std::string& path) {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

}  // namespace

Result<PodFolder> PodFolder::make(const std::string& pods_folder, const std::string& name) {
  const std::string path = pods_folder + "/" + name;
  if (mkdir(path.c_str(), 0755) != 0) return failed("cannot make " + path);
  Descriptor folder = open_folder(AT_FDCWD, path.c_str());
  Descriptor assay;
  if (folder && mkdirat(folder.get(), "assay", 0755) == 0) {
    assay = open_folder(folder.get(), "assay");
  }
  if (!assay) {
    Status status = failed("cannot make " + path + "/assay");
    remove_all(path);
    return status;
  }
  return PodFolder(path, std::move(folder), std::move(assay));
}

PodFolder::~PodFolder() {
  if (!path_.empty() && folder_) remove_all(path_);
}

Status PodFolder::write(const std::string& path, std::string_view content) {
  Descriptor folder(dup(folder_.get()));
  std::size_t begin = 0;
  for (std::size_t end; (end = path.find('/', begin)) != std::string::npos; begin = end + 1) {
    const std::string part = path.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") break;
    if (mkdirat(folder.get(), part.c_str(), 0755) != 0 && errno != EEXIST) {
      return failed("cannot make the folder of " + path);
    }
    folder = open_folder(folder.get(), part.c_str());
    if (!folder) return failed("cannot open the folder of " + path);
  }
  const std::string name = path.substr(begin);
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos) {
    errno = EINVAL;
    return failed("cannot write " + path);
  }
  const Descriptor file(openat(folder.get(), name.c_str(),
                               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!file) return failed("cannot write " + path);
  while (!content.empty()) {
    const ssize_t count = ::write(file.get(), content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed("cannot write " + path);
    content.remove_prefix(static_cast<std::size_t>(count));
  }
  return Status::ok();
}

Status PodFolder::give_to(uid_t user) {
  if (fchown(assay_.get(), user, user) != 0) return failed("cannot hand over " + path_);
  return Status::ok();
}

std::size_t remove_left_pods(const std::string& pods_folder) {
  std::size_t count = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(pods_folder, error)) {
    remove_all(entry.path().string());
    ++count;
  }
  return count;
}

}  // namespace assay::eval
