#include "cli/up/child.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace assay::cli {
namespace {

constexpr std::uintmax_t kLogBytesMax = 16U << 20U;  // then it is set aside, once, as ".1"
constexpr std::int64_t kLastWordsBytes = 4096;
constexpr std::size_t kLastWordsLines = 5;

Status cannot_start(const std::string& what, int error) {
  return internal_error("cannot_start", what + ": " + std::strerror(error));  // NOLINT
}

void set_aside_when_large(const std::string& path) {
  std::error_code ignored;
  const std::uintmax_t size = std::filesystem::file_size(path, ignored);
  if (!ignored && size > kLogBytesMax) std::filesystem::rename(path, path + ".1", ignored);
}

// Runs in the child, between fork and exec: only async-signal-safe calls.
[[noreturn]] void become(char* const* arguments, int log, int inherited, int failure,
                         pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // it died before the line above
  setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  if (inherited >= 0) fcntl(inherited, F_SETFD, 0);
  execv(arguments[0], arguments);
  const int error = errno;
  [[maybe_unused]] const ssize_t written = write(failure, &error, sizeof(error));
  _exit(127);
}

}  // namespace

std::string ChildEnd::text() const {
  if (exited) return "exit status " + std::to_string(number);
  const char* name = strsignal(number);  // NOLINT(concurrency-mt-unsafe): one thread
  return "signal " + std::to_string(number) +
         (name == nullptr ? "" : std::string(" (") + name + ")");
}

Child::Child(pid_t id, std::string log_path, std::int64_t log_begin)
    : id_(id), log_path_(std::move(log_path)), log_begin_(log_begin) {}

Result<Child> Child::start(const ChildOptions& options) {
  set_aside_when_large(options.log_path);
  const int log = open(options.log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) return cannot_start("cannot write the log " + options.log_path, errno);
  const std::int64_t log_begin = lseek(log, 0, SEEK_END);
  // The child says through this pipe why it could not become the program; exec closes it.
  int failure[2];  // NOLINT(modernize-avoid-c-arrays): pipe2's type
  if (pipe2(failure, O_CLOEXEC) != 0) {
    close(log);
    return cannot_start("cannot start " + options.program, errno);
  }
  std::vector<char*> arguments;
  arguments.push_back(const_cast<char*>(options.program.c_str()));  // NOLINT: execv's type
  for (const std::string& argument : options.arguments) {
    arguments.push_back(const_cast<char*>(argument.c_str()));  // NOLINT: execv's type
  }
  arguments.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t id = fork();
  if (id == 0) {
    become(arguments.data(), log, options.inherited_descriptor, failure[1], parent);
  }
  int error = id < 0 ? errno : 0;
  close(log);
  close(failure[1]);
  if (id > 0 && read(failure[0], &error, sizeof(error)) == sizeof(error)) waitpid(id, nullptr, 0);
  close(failure[0]);
  if (error != 0) return cannot_start("cannot start " + options.program, error);
  return Child(id, options.log_path, log_begin);
}

std::optional<ChildEnd> Child::ended() {
  if (end_) return end_;
  int status = 0;
  if (waitpid(id_, &status, WNOHANG) != id_) return std::nullopt;
  end_ =
      WIFEXITED(status) ? ChildEnd{true, WEXITSTATUS(status)} : ChildEnd{false, WTERMSIG(status)};
  return end_;
}

void Child::signal(int number) {
  // Killed, it takes along what it started itself; asked to end, it looks after those.
  if (!ended()) kill(number == SIGKILL ? -id_ : id_, number);
}

std::string Child::last_words() const {
  std::ifstream log(log_path_, std::ios::binary | std::ios::ate);
  if (!log) return {};
  const std::int64_t end = log.tellg();
  log.seekg(std::max(log_begin_, end - kLastWordsBytes));
  const std::string tail{std::istreambuf_iterator<char>(log), {}};
  std::vector<std::string> lines;
  std::size_t at = 0;
  while (at < tail.size()) {
    const std::size_t stop = std::min(tail.find('\n', at), tail.size());
    if (stop > at) lines.push_back(tail.substr(at, stop - at));
    at = stop + 1;
  }
  // A program that gives up says why in words; its structured log around them is for machines.
  const auto is_record = [](const std::string& line) { return line.starts_with('{'); };
  if (!std::all_of(lines.begin(), lines.end(), is_record)) std::erase_if(lines, is_record);
  const std::size_t skip = lines.size() > kLastWordsLines ? lines.size() - kLastWordsLines : 0;
  std::string text;
  for (std::size_t i = skip; i < lines.size(); ++i) text += (text.empty() ? "" : "\n") + lines[i];
  return text;
}

}  // namespace assay::cli
