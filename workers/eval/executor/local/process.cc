#include "workers/eval/executor/local/process.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace assay::eval {
namespace {

// What the child could not do; sent to the parent as it is.
struct ChildFailure {
  char step[24];
  int error;
};

// Everything the child needs, made before the fork: between fork and exec in a process with threads
// only async-signal-safe calls are allowed, so nothing there may allocate.
struct Prepared {
  const ProcessOptions* options;
  std::vector<char*> arguments;
  std::vector<char*> environment;
  int null = -1;
  int report = -1;
  pid_t parent = 0;
};

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

[[noreturn]] void give_up(const Prepared& prepared, const char* step) {
  ChildFailure failure{};
  failure.error = errno;
  std::strncpy(failure.step, step, sizeof failure.step - 1);
  (void)!write(prepared.report, &failure, sizeof failure);
  _exit(127);
}

void reset_signals() {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  for (int number = 1; number < 65; ++number) sigaction(number, &action, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Puts the descriptors in their places and closes all others. Returns where program and report
// went.
std::pair<int, int> place_descriptors(const Prepared& prepared) {
  constexpr int kFirstFree = 64;
  int moved[16];
  const auto& wanted = prepared.options->descriptors;
  const std::size_t count = std::min<std::size_t>(wanted.size(), 16);
  for (std::size_t i = 0; i < count; ++i) {
    moved[i] = fcntl(wanted[i].first, F_DUPFD_CLOEXEC, kFirstFree);
    if (moved[i] < 0) give_up(prepared, "fcntl");
  }
  const int program = fcntl(prepared.options->program, F_DUPFD_CLOEXEC, kFirstFree);
  const int report = fcntl(prepared.report, F_DUPFD_CLOEXEC, kFirstFree);
  const int null = fcntl(prepared.null, F_DUPFD_CLOEXEC, kFirstFree);
  if (program < 0 || report < 0 || null < 0) give_up(prepared, "fcntl");
  for (int standard = 0; standard < 3; ++standard) dup2(null, standard);
  // Whatever a library forgot to mark; the copies below are made without the mark.
  if (syscall(SYS_close_range, 3U, ~0U, 1U << 2 /* CLOSE_RANGE_CLOEXEC */) != 0) {
    for (int number = 3; number < 4096; ++number) fcntl(number, F_SETFD, FD_CLOEXEC);
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (dup2(moved[i], wanted[i].second) < 0) give_up(prepared, "dup2");
  }
  for (std::size_t i = 0; i < count; ++i) close(moved[i]);
  return {program, report};
}

void show_folder_at_tmp(const Prepared& prepared) {
  if (unshare(CLONE_NEWNS) != 0) give_up(prepared, "unshare");
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) give_up(prepared, "mount");
  const char* folder = prepared.options->folder_at_tmp.c_str();
  if (mount(folder, "/tmp", nullptr, MS_BIND, nullptr) != 0) {
    give_up(prepared, "mount");
  }
}

void set_limits(const Prepared& prepared) {
  for (const auto& [which, value] : prepared.options->limits) {
    const auto resource = static_cast<__rlimit_resource>(which);
    rlimit bound{};
    if (getrlimit(resource, &bound) != 0) give_up(prepared, "getrlimit");
    bound.rlim_cur = bound.rlim_max = std::min<rlim_t>(bound.rlim_max, value);
    if (setrlimit(resource, &bound) != 0) give_up(prepared, "setrlimit");
  }
}

[[noreturn]] void run_child(Prepared prepared) {
  const ProcessOptions& options = *prepared.options;
  reset_signals();
  setsid();
  umask(022);
  if (!options.folder_at_tmp.empty()) show_folder_at_tmp(prepared);
  if (options.folder >= 0 ? fchdir(options.folder) != 0 : chdir("/") != 0) {
    give_up(prepared, "chdir");
  }
  const auto [program, report] = place_descriptors(prepared);
  prepared.report = report;
  if (options.user) {
    const gid_t group = *options.user;
    if (setgroups(0, nullptr) != 0) give_up(prepared, "setgroups");
    if (setresgid(group, group, group) != 0) give_up(prepared, "setresgid");
    if (setresuid(*options.user, *options.user, *options.user) != 0) {
      give_up(prepared, "setresuid");
    }
  }
  set_limits(prepared);
  // After the change of user, which clears it.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != prepared.parent) _exit(127);
  syscall(SYS_execveat, program, "", prepared.arguments.data(), prepared.environment.data(),
          AT_EMPTY_PATH);
  if (errno == ENOENT && !options.path.empty()) {
    execve(options.path.c_str(), prepared.arguments.data(), prepared.environment.data());
  }
  give_up(prepared, "exec");
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

Status pod_failed(const std::string& what) {
  return retry_later("pod_failed", what + ": " + std::strerror(errno));
}

}  // namespace

Result<Pipe> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return pod_failed("cannot make a pipe");
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

Descriptor open_process(pid_t id) {
  return Descriptor(static_cast<int>(syscall(SYS_pidfd_open, id, 0)));
}

void kill_process(const Descriptor& process) {
  if (process) syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
}

bool wait_readable(int descriptor, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd fd{descriptor, POLLIN, 0};
    const int count = poll(&fd, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (count > 0) return true;
    if (count == 0 || errno != EINTR) return false;
  }
}

Result<Process> Process::start(const ProcessOptions& options) {
  Result<Pipe> report = make_pipe();
  if (!report.is_ok()) return report.status();
  const Descriptor null(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) return pod_failed("cannot open /dev/null");
  Prepared prepared{&options,   pointers(options.arguments), pointers(options.environment),
                    null.get(), report->write.get(),         getpid()};
  const pid_t id = fork();
  if (id < 0) return pod_failed("cannot start a process");
  if (id == 0) run_child(prepared);
  Process process(id, open_process(id));
  report->write.reset();
  ChildFailure failure{};
  ssize_t count = 0;
  while ((count = read(report->read.get(), &failure, sizeof failure)) < 0 && errno == EINTR) {
  }
  if (!process.handle_) {
    ::kill(id, SIGKILL);
    waitpid(id, nullptr, 0);
    return pod_failed("pidfd_open");
  }
  if (count > 0) {
    process.wait();
    errno = failure.error;
    return pod_failed("cannot start " + options.arguments.front() + ": " + failure.step);
  }
  return process;
}

Process::~Process() {
  if (waited()) return;
  kill();
  wait();
}

void Process::kill() {
  kill_process(handle_);
}

ProcessExit Process::wait() {
  int status = 0;
  rusage usage{};
  while (wait4(id_, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  handle_.reset();
  ProcessExit out;
  if (WIFEXITED(status)) out.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) out.signal = WTERMSIG(status);
  out.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  return out;
}

}  // namespace assay::eval
