#include "workers/eval/executor/local/sandbox.h"

#include "workers/eval/executor/local/system_call_filter.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace assay::eval {
namespace {

// Where the sandbox's parts are handed to bwrap.
constexpr int kArgumentsPlace = 10;
constexpr int kStatusPlace = 11;
constexpr int kBlockPlace = 12;
constexpr int kFilterPlace = 13;
// Making the namespaces takes milliseconds; a machine that needs longer than this is stuck.
constexpr std::chrono::milliseconds kStartTimeout{10'000};

Status failed(const std::string& what) {
  return retry_later("pod_failed", what + ": " + std::strerror(errno));
}

void add(std::vector<std::string>& out, std::initializer_list<std::string> words) {
  out.insert(out.end(), words);
}

// /lib and friends are links into /usr on most systems, and folders of their own on others.
void add_system(std::vector<std::string>& out) {
  for (const std::string name : {"bin", "sbin", "lib", "lib32", "lib64", "libx32"}) {
    std::error_code error;
    const std::filesystem::path path = "/" + name;
    if (std::filesystem::is_symlink(path, error)) {
      add(out, {"--symlink", std::filesystem::read_symlink(path, error).string(), path.string()});
    } else if (std::filesystem::is_directory(path, error)) {
      add(out, {"--ro-bind", path.string(), path.string()});
    }
  }
}

// The arguments as a file, so that no path of this machine stands in a command line the subject can
// see.
Descriptor arguments_file(const std::vector<std::string>& arguments) {
  Descriptor file(memfd_create("arguments", MFD_CLOEXEC));
  std::string bytes;
  for (const std::string& argument : arguments) bytes.append(argument).push_back('\0');
  if (!file ||
      write(file.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) ||
      lseek(file.get(), 0, SEEK_SET) != 0) {
    return Descriptor();
  }
  return file;
}

// Set before bwrap is executed: to lower one's own limits needs no privilege.
std::vector<std::pair<int, std::uint64_t>> process_limits(const SandboxSpec& spec) {
  const PodLimits& limits = spec.limits;
  std::vector<std::pair<int, std::uint64_t>> out = {
      {RLIMIT_AS, limits.memory_bytes},
      {RLIMIT_NOFILE, limits.open_files},
      {RLIMIT_FSIZE, limits.file_bytes},
      {RLIMIT_CPU, static_cast<std::uint64_t>(spec.cpu_of_one_process.count())},
      {RLIMIT_CORE, 0},
      {RLIMIT_MEMLOCK, 64U << 10},
      {RLIMIT_MSGQUEUE, 0}};
  // A user id of its own has no other processes to be counted with.
  if (spec.user) out.emplace_back(RLIMIT_NPROC, limits.processes + 2);
  return out;
}

}  // namespace

std::vector<std::string> sandbox_arguments(const SandboxTools& tools, const PodLimits& limits,
                                           const std::string& assay_folder) {
  std::vector<std::string> out;
  add(out, {"--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts",
            "--unshare-cgroup-try", "--disable-userns", "--die-with-parent", "--new-session"});
  add(out, {"--cap-drop", "ALL", "--uid", "1000", "--gid", "1000", "--hostname", "assay"});
  add(out, {"--ro-bind", "/usr", "/usr"});
  add_system(out);
  for (const std::string& folder : tools.read_only) add(out, {"--ro-bind", folder, folder});
  for (const char* path : {"/etc/alternatives", "/etc/ld.so.cache", "/etc/localtime"}) {
    add(out, {"--ro-bind-try", path, path});
  }
  add(out, {"--ro-bind", assay_folder, "/assay"});
  for (const char* name : {"passwd", "group", "hosts", "nsswitch.conf"}) {
    add(out, {"--symlink", std::string("/assay/etc/") + name, std::string("/etc/") + name});
  }
  add(out, {"--proc", "/proc", "--dev", "/dev"});
  add(out, {"--size", std::to_string(limits.shm_bytes), "--perms", "1777", "--tmpfs", "/dev/shm"});
  add(out, {"--size", std::to_string(limits.tmp_bytes), "--perms", "1777", "--tmpfs", "/tmp"});
  add(out, {"--size", std::to_string(limits.work_bytes), "--perms", "0755", "--tmpfs", "/work"});
  // What is left of the root and of /dev is memory without a bound, if it could be written.
  add(out, {"--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/work", "--clearenv"});
  add(out, {"--setenv", "PATH", "/usr/local/bin:/usr/bin:/bin", "--setenv", "HOME", "/work"});
  add(out, {"--setenv", "LANG", "C.UTF-8", "--setenv", "TZ", "UTC", "--setenv", "PWD", "/work"});
  add(out, {"--setenv", "PYTHONHASHSEED", "0", "--setenv", "PYTHONDONTWRITEBYTECODE", "1"});
  add(out, {"--setenv", "PYTHONNOUSERSITE", "1"});
  return out;
}

std::size_t end_left_sandboxes(const std::string& mark) {
  std::size_t count = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const pid_t id = static_cast<pid_t>(std::atoi(entry.path().filename().c_str()));
    if (id <= 0) continue;
    // First the handle, then the look: so it is that process, and no later one of its number, that
    // is ended.
    const Descriptor process = open_process(id);
    std::ifstream file(entry.path() / "cmdline");
    std::string name;
    if (!process || !std::getline(file, name, '\0') || name != mark) continue;
    kill_process(process);
    ++count;
  }
  return count;
}

Result<std::unique_ptr<Sandbox>> Sandbox::start(const SandboxTools& tools,
                                                const SandboxSpec& spec) {
  Result<Pipe> log = make_pipe();
  Result<Pipe> status = make_pipe();
  Result<Pipe> block = make_pipe();
  if (!log.is_ok() || !status.is_ok() || !block.is_ok()) return failed("cannot make a pipe");
  // Another user might not be let through the folders above; then it is shown to it at /tmp.
  const bool at_tmp = spec.user.has_value();
  std::vector<std::string> arguments =
      sandbox_arguments(tools, spec.limits, at_tmp ? "/tmp" : spec.assay_folder);
  add(arguments, {"--json-status-fd", std::to_string(kStatusPlace)});
  add(arguments, {"--block-fd", std::to_string(kBlockPlace)});
  add(arguments, {"--seccomp", std::to_string(kFilterPlace)});
  const Result<Descriptor> filter = make_system_call_filter();
  if (!filter.is_ok()) return filter.status();
  const Descriptor file = arguments_file(arguments);
  const Descriptor program(open(tools.bubblewrap.c_str(), O_PATH | O_CLOEXEC));
  if (!file || !program) return failed("cannot start " + tools.bubblewrap);
  ProcessOptions options;
  options.program = program.get();
  options.path = tools.bubblewrap;
  options.arguments = {tools.mark, "--args", std::to_string(kArgumentsPlace), "--"};
  options.arguments.insert(options.arguments.end(), spec.command.begin(), spec.command.end());
  options.descriptors = {{log->write.get(), 1},
                         {log->write.get(), 2},
                         {file.get(), kArgumentsPlace},
                         {status->write.get(), kStatusPlace},
                         {block->read.get(), kBlockPlace},
                         {filter->get(), kFilterPlace}};
  options.user = spec.user;
  options.limits = process_limits(spec);
  if (at_tmp) options.folder_at_tmp = spec.assay_folder;
  Result<Process> outer = Process::start(options);
  if (!outer.is_ok()) return outer.status();
  for (const Descriptor* end : {&log->read, &status->read}) {
    fcntl(end->get(), F_SETFL, O_NONBLOCK);
  }
  std::unique_ptr<Sandbox> sandbox(
      new Sandbox(std::move(outer).value(), std::move(log->read), std::move(status->read)));
  log->write.reset();
  status->write.reset();
  block->read.reset();
  const Status let_go = sandbox->let_go(spec, std::move(block->write));
  if (!let_go.is_ok()) return let_go;
  return sandbox;
}

// bwrap has made its child, which waits: find it, bound it, release it.
Status Sandbox::let_go(const SandboxSpec& spec, Descriptor block) {
  const nlohmann::json status = nlohmann::json::parse(read_status_line(), nullptr, false);
  // No child: bwrap complains in the log, and finish() says that nothing was started.
  if (!status.is_object() || !status.contains("child-pid")) return Status::ok();
  root_ = status["child-pid"].get<pid_t>();
  inner_ = open_process(root_);
  // Without a user id of its own the count is taken in the new user namespace only, so it is
  // bounded from there on; the other processes of this user would be counted before.
  const rlimit processes{spec.limits.processes, spec.limits.processes};
  const bool bounded =
      inner_ && (spec.user || prlimit(root_, RLIMIT_NPROC, &processes, nullptr) == 0);
  if (!bounded) return failed("cannot limit the sandbox");
  if (write(block.get(), "x", 1) != 1) return failed("cannot release the sandbox");
  return Status::ok();
}

// One line of bwrap's status; empty when it ended without.
std::string Sandbox::read_status_line() {
  while (status_text_.find('\n') == std::string::npos) {
    char chunk[1024];
    const ssize_t count = read(status_.get(), chunk, sizeof chunk);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) return {};
    if (count > 0) status_text_.append(chunk, static_cast<std::size_t>(count));
    if (count < 0 && !wait_readable(status_.get(), kStartTimeout)) return {};
  }
  const auto end = status_text_.find('\n');
  std::string line = status_text_.substr(0, end);
  status_text_.erase(0, end + 1);
  return line;
}

Sandbox::~Sandbox() {
  if (!outer_.waited()) finish();
}

void Sandbox::kill() {
  killed_ = killed_ || !wait_readable(outer_.descriptor(), std::chrono::milliseconds(0));
  // With its process 1 goes the whole process namespace.
  kill_process(inner_);
  if (!inner_) outer_.kill();
}

SandboxExit Sandbox::finish() {
  kill();
  const ProcessExit outer = outer_.wait();
  SandboxExit out;
  out.cpu_seconds = outer.cpu_seconds;
  if (inner_) {
    // Its process 1 ends last: when it is gone, so is every process in the namespace.
    while (!wait_readable(inner_.get(), std::chrono::seconds(60))) kill_process(inner_);
    // It became ours when bwrap ended before it; its time is not in bwrap's then.
    rusage usage{};
    if (wait4(root_, nullptr, 0, &usage) == root_) {
      out.cpu_seconds += static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    }
    inner_.reset();
  }
  const nlohmann::json status = nlohmann::json::parse(read_status_line(), nullptr, false);
  // bwrap tells the exit code only of what it could start.
  const bool told = status.is_object() && status.contains("exit-code");
  out.started = root_ != 0 && (killed_ || told);
  if (!told || killed_) return out;
  const int code = status["exit-code"].get<int>();
  if (code > 128) {
    out.signal = code - 128;
  } else {
    out.exit_code = code;
  }
  return out;
}

}  // namespace assay::eval
