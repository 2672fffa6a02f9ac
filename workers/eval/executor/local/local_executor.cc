#include "workers/eval/executor/local/local_executor.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "workers/eval/executor/local/local_pod.h"
#include "workers/eval/executor/local/pod_folder.h"

namespace assay::eval {
namespace {

namespace fs = std::filesystem;

Status unavailable(std::string message) {
  return fix_input("sandbox_unavailable", std::move(message));
}

std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return access(name.c_str(), X_OK) == 0 ? name : "";
  const char* path = std::getenv("PATH");
  std::string folders = path == nullptr ? "" : path;
  folders += ":/usr/bin:/bin:/usr/local/bin";
  for (std::size_t begin = 0; begin <= folders.size();) {
    const std::size_t end = std::min(folders.find(':', begin), folders.size());
    const std::string candidate = folders.substr(begin, end - begin) + "/" + name;
    if (candidate[0] == '/' && access(candidate.c_str(), X_OK) == 0) return candidate;
    begin = end + 1;
  }
  return {};
}

// What to do about a sandbox that could not be made.
std::string advice(const std::string& complaint) {
  const bool forbidden = complaint.find("namespace") != std::string::npos ||
                         complaint.find("uid map") != std::string::npos ||
                         complaint.find("not permitted") != std::string::npos ||
                         complaint.find("ermission denied") != std::string::npos;
  if (!forbidden) return "";
  return " User namespaces must be allowed: `sysctl kernel.unprivileged_userns_clone=1` on Debian, "
         "`sysctl "
         "kernel.apparmor_restrict_unprivileged_userns=0` (or an AppArmor profile for bwrap) on "
         "Ubuntu, "
         "`sysctl user.max_user_namespaces=10000` where it is 0; in a container, a seccomp profile "
         "that "
         "allows unshare and mount.";
}

std::string mark_of(const fs::path& pods_folder) {
  return "assay-sandbox-" + pods_folder.filename().string();
}

// Each worker on a machine takes a range of its own: as many pods at once as that, but for the
// harnesses' id.
constexpr const char* kUserIdsFolder = "/run/assay";
constexpr uid_t kUserIdsPerWorker = 400;
constexpr int kUserIdRanges = 9;

std::string read_all(int descriptor) {
  std::string out;
  char chunk[4096];
  for (ssize_t count; (count = read(descriptor, chunk, sizeof chunk)) > 0;) {
    if (out.size() < 8192) out.append(chunk, static_cast<std::size_t>(count));
  }
  return out;
}

}  // namespace

LocalExecutor::LocalExecutor(LocalOptions options) : options_(std::move(options)) {
  // A sandbox's process 1 may outlive its bwrap by a moment; it becomes ours, and is waited for by
  // us.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
}

LocalExecutor::~LocalExecutor() {
  std::error_code ignored;
  if (!lock_) return;
  fs::remove_all(pods_folder_, ignored);
  fs::remove(pods_folder_ + ".lock", ignored);
}

Status LocalExecutor::check() {
  for (const auto step : {&LocalExecutor::find_tools, &LocalExecutor::claim_folder,
                          &LocalExecutor::claim_user_ids, &LocalExecutor::try_sandbox}) {
    const Status status = (this->*step)();
    if (!status.is_ok()) return status;
  }
  return Status::ok();
}

Status LocalExecutor::find_tools() {
  tools_.bubblewrap = find_program(options_.bubblewrap);
  tools_.read_only = options_.read_only;
  if (tools_.bubblewrap.empty()) {
    return unavailable("evaluations run in sandboxes made by bubblewrap, and '" +
                       options_.bubblewrap +
                       "' was not found. Install it (apt-get install bubblewrap) or name its path "
                       "(the setting bubblewrap).");
  }
  if (access(options_.python.c_str(), X_OK) != 0) {
    return unavailable(
        "no Python at " + options_.python +
        ". Install it (apt-get install python3) or name another (the setting python).");
  }
  harness_ = Descriptor(open(options_.harness.c_str(), O_PATH | O_CLOEXEC));
  if (!harness_ || access(options_.harness.c_str(), X_OK) != 0) {
    return unavailable("assay-harness was not found at " + options_.harness +
                       "; it is installed beside assay-eval (--harness names another place).");
  }
  return Status::ok();
}

// Each process has a folder of its own with a lock; a folder whose lock is free belonged to one
// that is gone.
Status LocalExecutor::claim_folder() {
  const std::string root = options_.data_folder + "/pods";
  std::error_code error;
  fs::create_directories(root, error);
  if (error) return unavailable("cannot make " + root + ": " + error.message());
  // The process id is not enough where containers share the folder.
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  const std::string own = root + "/" + std::to_string(getpid()) + "-" + std::to_string(now);
  for (const auto& entry : fs::directory_iterator(root, error)) {
    const fs::path path = entry.path();
    if (path.extension() != ".lock") continue;
    const Descriptor lock(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    if (!lock || flock(lock.get(), LOCK_EX | LOCK_NB) != 0) continue;
    std::string folder = path.string();
    folder.resize(folder.size() - 5);
    end_left_sandboxes(mark_of(folder));
    removed_ += remove_left_pods(folder);
    std::error_code ignored;
    fs::remove(folder, ignored);
    fs::remove(path, ignored);
  }
  pods_folder_ = own;
  tools_.mark = mark_of(own);
  lock_ =
      Descriptor(open((own + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock_ || flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    lock_.reset();
    return unavailable("cannot lock " + own + ".lock: " + std::strerror(errno));
  }
  // Below are submissions, and sockets that spend the operator's keys: no other user of the machine
  // gets in. A pod's own user is shown its folder from within.
  if (mkdir(own.c_str(), 0700) != 0 && errno != EEXIST) {
    return unavailable("cannot make " + own + ": " + std::strerror(errno));
  }
  return Status::ok();
}

// Processes are counted by user id: a worker beside this one, as root too, must use others, or a
// fork bomb there would use up what pods here may start.
Status LocalExecutor::claim_user_ids() {
  if (geteuid() != 0 || user_ids_lock_) return Status::ok();
  if (mkdir(kUserIdsFolder, 0755) != 0 && errno != EEXIST) {
    return unavailable(std::string("cannot make ") + kUserIdsFolder + ": " + std::strerror(errno));
  }
  for (int range = 0; range < kUserIdRanges; ++range) {
    const uid_t base = options_.user_base + static_cast<uid_t>(range) * kUserIdsPerWorker;
    const std::string path = std::string(kUserIdsFolder) + "/user-ids-" + std::to_string(base);
    Descriptor lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock || flock(lock.get(), LOCK_EX | LOCK_NB) != 0) continue;
    user_ids_lock_ = std::move(lock);
    options_.user_base = base;
    return Status::ok();
  }
  return unavailable(
      "all ranges of user ids for pods are taken: " + std::to_string(kUserIdRanges) +
      " workers run as root on this machine; stop one, or run this one as another user");
}

// The proof that it works is that it works.
Status LocalExecutor::try_sandbox() {
  const auto user = take_user();
  Result<PodFolder> folder = PodFolder::make(pods_folder_, "check");
  if (!folder.is_ok()) return unavailable(folder.status().message());
  SandboxSpec spec;
  spec.assay_folder = folder->path() + "/assay";
  spec.command = {options_.python, "-I", "-c", "print('ready')"};
  spec.user = user;
  auto sandbox = Sandbox::start(tools_, spec);
  give_back_user(user);
  if (!sandbox.is_ok()) {
    const std::string text = sandbox.status().message();
    return unavailable("no sandbox can be made: " + text + "." + advice(text));
  }
  wait_readable((*sandbox)->descriptor(), std::chrono::seconds(20));
  // Its output is read after its end: one line fits into any pipe.
  const SandboxExit exit = (*sandbox)->finish();
  std::string said = read_all((*sandbox)->log());
  if (exit.started && exit.exit_code == 0 && said == "ready\n") return Status::ok();
  while (!said.empty() && said.back() == '\n') said.pop_back();
  if (said.empty()) said = "it ended without a word";
  return unavailable("no sandbox can be made with " + tools_.bubblewrap + " and " +
                     options_.python + ": " + said + "." + advice(said));
}

Result<std::unique_ptr<Pod>> LocalExecutor::launch(PodSpec spec, PodEvents& events) {
  if (!lock_) return internal_error("pod_failed", "check() has not said that pods can be run here");
  return std::unique_ptr<Pod>(std::make_unique<LocalPod>(*this, std::move(spec), events));
}

std::optional<uid_t> LocalExecutor::take_user() {
  if (geteuid() != 0) return std::nullopt;
  const std::lock_guard lock(mutex_);
  // The first id is the harnesses'.
  std::size_t index = 1;
  while (index < users_taken_.size() && users_taken_[index]) ++index;
  users_taken_.resize(std::max(users_taken_.size(), index + 1));
  users_taken_[index] = true;
  return options_.user_base + static_cast<uid_t>(index);
}

void LocalExecutor::give_back_user(std::optional<uid_t> user) {
  if (!user) return;
  const std::lock_guard lock(mutex_);
  users_taken_[*user - options_.user_base] = false;
}

}  // namespace assay::eval
