#include "workers/build/command.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "workers/build/descriptor.h"

namespace assay::image_build {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kErrorsBytesMax = 8192;
constexpr std::size_t kLineBytesMax = 4096;
constexpr milliseconds kLook{50};

struct Pipe {
  Descriptor read;
  Descriptor write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return internal_error("cannot_run", "no pipe: this process has too many open files");
  }
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// In the child, between fork and exec: only what may be called there.
[[noreturn]] void become(const Command& command, char* const* arguments, char* const* environment,
                         int output, int errors, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, 0);
  dup2(output, 1);
  dup2(errors, 2);
  if (command.file_bytes_max > 0) {
    const struct rlimit limit { command.file_bytes_max, command.file_bytes_max };
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  if (!command.folder.empty() && chdir(command.folder.c_str()) != 0) _exit(127);
  execvpe(arguments[0], arguments, environment);
  _exit(127);
}

// One of its two outputs, as far as it was read.
class Stream {
 public:
  Stream(Descriptor descriptor, std::function<void(std::string_view)> take)
      : descriptor_(std::move(descriptor)), take_(std::move(take)) {}

  int descriptor() const { return descriptor_.get(); }
  void read_some() {
    std::array<char, 16384> bytes{};
    const ssize_t count = read(descriptor_.get(), bytes.data(), bytes.size());
    if (count > 0) {
      take_({bytes.data(), static_cast<std::size_t>(count)});
    } else if (count == 0 || errno != EINTR) {
      descriptor_.reset();
    }
  }

 private:
  Descriptor descriptor_;
  std::function<void(std::string_view)> take_;
};

// Whole lines out of pieces; git's progress ends its lines with a carriage return.
class Lines {
 public:
  explicit Lines(std::function<void(std::string_view)> take) : take_(std::move(take)) {}
  void add(std::string_view bytes) {
    for (const char c : bytes) {
      if (c == '\n' || c == '\r') {
        flush();
      } else if (line_.size() < kLineBytesMax) {
        line_ += c;
      }
    }
  }
  void flush() {
    if (!line_.empty() && take_) take_(line_);
    line_.clear();
  }

 private:
  std::string line_;
  std::function<void(std::string_view)> take_;
};

// The child, killed with its group when this goes out of scope before it was waited for.
class Child {
 public:
  explicit Child(pid_t id) : id_(id) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (id_ < 0) return;
    ::kill(-id_, SIGKILL);
    ::kill(id_, SIGKILL);
    waitpid(id_, nullptr, 0);
  }
  int wait() {
    int status = 0;
    while (waitpid(id_, &status, 0) < 0 && errno == EINTR) {
    }
    ::kill(-id_, SIGKILL);  // what it left running in its group
    id_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t id_;
};

void read_both(Stream& output, Stream& errors) {
  std::array<pollfd, 2> polls{{{output.descriptor(), POLLIN, 0}, {errors.descriptor(), POLLIN, 0}}};
  if (poll(polls.data(), polls.size(), static_cast<int>(kLook.count())) <= 0) return;
  if (polls[0].revents != 0) output.read_some();
  if (polls[1].revents != 0) errors.read_some();
}

}  // namespace

Result<CommandEnd> run_command(const Command& command, const std::stop_token& stop) {
  Result<Pipe> output = make_pipe();
  if (!output.is_ok()) return output.status();
  Result<Pipe> errors = make_pipe();
  if (!errors.is_ok()) return errors.status();
  std::vector<std::string> arguments = command.arguments;
  std::vector<std::string> environment = command.environment;
  const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): nobody changes it
  environment.push_back(std::string("PATH=") + (path == nullptr ? "/usr/bin:/bin" : path));
  const std::vector<char*> argument_pointers = pointers(arguments);
  const std::vector<char*> environment_pointers = pointers(environment);
  const pid_t parent = getpid();
  const pid_t id = fork();
  if (id < 0) return internal_error("cannot_run", "no new process: the machine has too many");
  if (id == 0) {
    become(command, argument_pointers.data(), environment_pointers.data(), output->write.get(),
           errors->write.get(), parent);
  }
  setpgid(id, id);  // whoever of the two comes first
  Child child(id);
  output->write.reset();
  errors->write.reset();

  CommandEnd end;
  Stream out(std::move(output->read), [&](std::string_view bytes) {
    const std::size_t room = command.output_bytes_max - end.output.size();
    end.output_cut |= bytes.size() > room;
    end.output.append(bytes.substr(0, room));
  });
  Lines lines([&](std::string_view line) {
    end.errors.append(line).append("\n");
    if (end.errors.size() > kErrorsBytesMax) end.errors.erase(0, end.errors.size() / 2);
    if (command.on_error_line) command.on_error_line(line);
  });
  Stream err(std::move(errors->read), [&](std::string_view bytes) { lines.add(bytes); });
  const auto deadline = Clock::now() + command.timeout;
  while (out.descriptor() >= 0 || err.descriptor() >= 0) {
    if (stop.stop_requested()) return Status(Code::kRetryCall, "stopped", "stopped");
    if (Clock::now() > deadline) {
      return Status(Code::kExhausted, "command_timeout",
                    command.arguments.front() + " took longer than " +
                        std::to_string(command.timeout.count() / 1000) + " s");
    }
    read_both(out, err);
  }
  lines.flush();
  end.exit_code = child.wait();
  return end;
}

}  // namespace assay::image_build
