// Theory of operation. The harness writes its state to a file that the subject can only read: a
// number that grows with each start it wants, then `finished`. Process 1 of the container looks at
// it, and has one child at a time. Every process of the container but itself ends between two
// children, so nothing survives into the next. It cannot be killed or traced from inside: it is
// process 1 of its namespace and not dumpable.
#include "workers/eval/executor/kubernetes/pod/subject.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "workers/eval/harness/frame.h"
#include "workers/eval/monitor/log_window.h"

namespace assay::eval::kubernetes {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kLookInterval{20};
// When all is said the subject may leave by itself, so that its last words are in the log.
constexpr milliseconds kLeaveGrace{200};
constexpr std::size_t kLogBurstBytes = 64U << 10;
constexpr std::size_t kLogBytesPerSecond = 16U << 10;
constexpr std::size_t kLastWordsBytes = 64U << 10;
constexpr int kNoPythonStatus = 127;

struct Flags {
  std::string state = "/assay-run/state";
  std::string socket = "/assay-run/harness.sock";
  std::string box = "/assay";
  std::string work = "/work";
  std::string python;                // empty: python3, or python
  std::string folder;                // of the command
  std::vector<std::string> command;  // of an image that is an evaluation by itself
  unsigned long processes = 0;
  unsigned long files = 0;
  unsigned long file_bytes = 0;
};

bool read_flags(int argc, char** argv, Flags& out) {
  for (int i = 0; i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    if (flag == "--") {
      out.command.assign(argv + i + 1, argv + argc);
      return true;
    }
    const char* value = argv[i + 1];
    if (flag == "--python") out.python = value;
    if (flag == "--folder") out.folder = value;
    if (flag == "--processes") out.processes = std::strtoul(value, nullptr, 10);
    if (flag == "--files") out.files = std::strtoul(value, nullptr, 10);
    if (flag == "--file-bytes") out.file_bytes = std::strtoul(value, nullptr, 10);
  }
  return argc % 2 == 0;
}

void limit(int resource, unsigned long value) {
  if (value == 0) return;
  const rlimit bound{value, value};
  setrlimit(static_cast<__rlimit_resource>(resource), &bound);
}

class Subject {
 public:
  explicit Subject(Flags flags) : flags_(std::move(flags)) {}

  int run() {
    while (true) {
      const std::string state = read_state();
      if (state == "finished") return leave();
      const long wanted = std::strtol(state.c_str(), nullptr, 10);
      if (wanted > started_) {
        end_all();
        started_ = wanted;
        if (!start()) return 1;
      }
      pass_on();
      reap(WNOHANG);
      if (no_python_) return kNoPythonStatus;
      wait();
    }
  }

 private:
  std::string read_state() const {
    std::ifstream file(flags_.state);
    std::string word;
    file >> word;
    return word;
  }

  bool start() {
    clear_work();
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return false;
    child_ = fork();
    if (child_ < 0) return false;
    if (child_ == 0) become_runner(ends[1]);
    close(ends[1]);
    if (log_ >= 0) close(log_);
    log_ = ends[0];
    return true;
  }

  // A fresh copy of the submission, whatever the last subject left.
  void clear_work() const {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(flags_.work, ignored)) {
      fs::remove_all(entry.path(), ignored);
    }
    fs::copy(flags_.box + "/submission", flags_.work,
             fs::copy_options::recursive | fs::copy_options::overwrite_existing, ignored);
    for (const auto& entry : fs::recursive_directory_iterator(flags_.work, ignored)) {
      fs::permissions(entry.path(), fs::perms::owner_write, fs::perm_options::add, ignored);
    }
  }

  [[noreturn]] void become_runner(int log) const {
    setsid();
    // Its output is a pipe as any other: what is written there may wait.
    fcntl(log, F_SETFL, 0);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    limit(RLIMIT_NPROC, flags_.processes);
    limit(RLIMIT_NOFILE, flags_.files);
    limit(RLIMIT_FSIZE, flags_.file_bytes);
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    (void)!chdir(flags_.work.c_str());
    setenv("HOME", flags_.work.c_str(), 1);
    if (!flags_.command.empty()) run_command();
    const std::string runner = flags_.box + "/runner.py";
    std::vector<std::string> pythons{"python3", "python"};
    if (!flags_.python.empty()) pythons = {flags_.python};
    for (const std::string& python : pythons) {
      execlp(python.c_str(), python.c_str(), "-s", runner.c_str(), "--socket",
             flags_.socket.c_str(), static_cast<char*>(nullptr));
    }
    dprintf(STDERR_FILENO, "assay: this image has no %s: %s\n", pythons.front().c_str(),
            std::strerror(errno));
    _exit(kNoPythonStatus);
  }

  // A program of ours stands in for the runner: it has no words of its own for the harness.
  [[noreturn]] void run_command() const {
    const std::string own = flags_.box + "/assay-pod";
    std::vector<std::string> words{own,           "program", "--socket",  flags_.socket, "--folder",
                                   flags_.folder, "--work",  flags_.work, "--"};
    words.insert(words.end(), flags_.command.begin(), flags_.command.end());
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    execv(own.c_str(), pointers.data());
    dprintf(STDERR_FILENO, "assay: cannot run %s: %s\n", own.c_str(), std::strerror(errno));
    _exit(1);
  }

  void wait() {
    pollfd fds[1] = {{log_, POLLIN, 0}};
    if (log_ < 0) fds[0].fd = -1;
    poll(fds, 1, static_cast<int>(kLookInterval.count()));
  }

  void pass_on() {
    if (log_ < 0) return;
    char chunk[65536];
    // Bounded, so that a flood does not keep it from looking at the state.
    for (int i = 0; i < 16; ++i) {
      const ssize_t count = read(log_, chunk, sizeof chunk);
      if (count == 0) {
        close(log_);
        log_ = -1;
      }
      if (count <= 0) return;
      const std::string_view bytes(chunk, static_cast<std::size_t>(count));
      const auto now = std::chrono::duration_cast<milliseconds>(Clock::now().time_since_epoch());
      const std::string passed = throttle_.pass(bytes, now);
      skipped_ = skipped_ || passed.size() < bytes.size();
      last_words_.add(bytes);
      print(passed);
    }
  }

  // In frames, each line one or more.
  void print(std::string_view text) {
    while (!text.empty()) {
      const auto end = text.find('\n');
      const bool whole = end != std::string_view::npos;
      const std::string_view line = text.substr(0, end);
      write_all(whole ? frames_.line(line) : frames_.piece(line));
      text.remove_prefix(whole ? end + 1 : line.size());
    }
  }

  static void write_all(std::string_view text) {
    while (!text.empty()) {
      const ssize_t count = write(STDOUT_FILENO, text.data(), text.size());
      if (count <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  void reap(int options) {
    int status = 0;
    for (pid_t pid; (pid = waitpid(-1, &status, options)) > 0;) {
      if (pid != child_) continue;
      child_ = -1;
      // Until the runner has run, an exit status of 127 is our own.
      no_python_ = WIFEXITED(status) && WEXITSTATUS(status) == kNoPythonStatus && started_ == 1;
      kill(-1, SIGKILL);
    }
  }

  // From process 1 this reaches every other process of the container.
  void end_all() {
    kill(-1, SIGKILL);
    reap(0);
    child_ = -1;
    pass_on();
  }

  int leave() {
    const auto deadline = Clock::now() + kLeaveGrace;
    while (child_ > 0 && Clock::now() < deadline) {
      pass_on();
      reap(WNOHANG);
      wait();
    }
    end_all();
    pass_on();
    print(throttle_.flush());
    if (skipped_) print("\n" + last_words_.tail(kLastWordsBytes));
    return 0;
  }

  Flags flags_;
  long started_ = 0;
  pid_t child_ = -1;
  int log_ = -1;
  bool no_python_ = false;
  bool skipped_ = false;
  FrameWriter frames_;
  LogThrottle throttle_{kLogBurstBytes, kLogBytesPerSecond};
  LogWindow last_words_{2 * kLastWordsBytes};
};

}  // namespace

int run_subject(int argc, char** argv) {
  Flags flags;
  if (!read_flags(argc, argv, flags)) return 2;
  prctl(PR_SET_DUMPABLE, 0);
  signal(SIGPIPE, SIG_IGN);
  return Subject(flags).run();
}

}  // namespace assay::eval::kubernetes
