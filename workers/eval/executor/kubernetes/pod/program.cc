// Theory of operation. The program cannot speak for itself: the socket is ours, is closed before
// the program begins, and this process cannot be traced. Killing it loses the connection, which
// counts as a crash. Without an exit status there is no result.
#include "workers/eval/executor/kubernetes/pod/program.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "workers/eval/base64.h"

namespace assay::eval::kubernetes {
namespace {

using nlohmann::json;

constexpr const char* kTest = "image";
constexpr int kLookIntervalMs = 20;
constexpr std::size_t kOutputBytesMax = 6U << 20;
constexpr std::size_t kLineBytesMax = 8U << 20;
constexpr int kNotStartedStatus = 127;

// A regular file, whole; false when it is none, or larger than may be brought out.
bool read_output(int folder, const std::string& path, std::string& out) {
  const int file = openat(folder, path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (file < 0) return false;
  struct stat about {};
  bool good = fstat(file, &about) == 0 && S_ISREG(about.st_mode);
  char chunk[65536];
  while (good) {
    const ssize_t count = read(file, chunk, sizeof chunk);
    if (count == 0) break;
    good = count > 0 && out.size() + static_cast<std::size_t>(count) <= kOutputBytesMax;
    if (good) out.append(chunk, static_cast<std::size_t>(count));
  }
  close(file);
  return good;
}

class Program {
 public:
  Program(std::string folder, std::string work, std::vector<char*> command)
      : folder_(std::move(folder)), work_(std::move(work)), command_(std::move(command)) {}

  bool connect_to(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return false;
    std::strcpy(address.sun_path, path.c_str());
    socket_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return socket_ >= 0 &&
           connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }

  int run() {
    while (!let_go_) {
      pollfd in{socket_, POLLIN, 0};
      if (poll(&in, 1, kLookIntervalMs) < 0 && errno != EINTR) return 1;
      if (in.revents != 0 && !hear()) return 1;
      if (!look_at_child()) return 1;
    }
    return 0;
  }

 private:
  bool say(const json& line) {
    const std::string text = line.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
    std::string_view left = text;
    while (!left.empty()) {
      const ssize_t count = send(socket_, left.data(), left.size(), MSG_NOSIGNAL);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return false;
      left.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  bool hear() {
    char chunk[65536];
    const ssize_t count = read(socket_, chunk, sizeof chunk);
    if (count < 0 && errno == EINTR) return true;
    if (count <= 0 || inbox_.size() > kLineBytesMax) return false;
    inbox_.append(chunk, static_cast<std::size_t>(count));
    for (std::size_t end; (end = inbox_.find('\n')) != std::string::npos;) {
      const json line = json::parse(inbox_.substr(0, end), nullptr, false);
      inbox_.erase(0, end + 1);
      if (!line.is_object() || !obey(line)) return false;
    }
    return true;
  }

  bool obey(const json& line) {
    const std::string type = line.value("type", "");
    if (type == "job") {
      outputs_ = line["job"].value("outputs", std::vector<std::string>());
      return say({{"type", "loaded"}, {"tests", {{{"name", kTest}, {"streams", false}}}}});
    }
    if (type == "run") return start();
    if (type == "kill") {
      if (child_ > 0) kill(-child_, SIGKILL);
      return true;
    }
    if (type == "finish") {
      bring_out();
      let_go_ = true;
    }
    return true;
  }

  bool start() {
    if (child_ >= 0) return false;  // there is one test, and it runs once
    child_ = fork();
    if (child_ != 0) return child_ > 0;
    setpgid(0, 0);
    signal(SIGPIPE, SIG_DFL);
    // An image without a folder of its own starts where it may write.
    if (folder_.empty() || chdir(folder_.c_str()) != 0) (void)!chdir(work_.c_str());
    execvp(command_[0], command_.data());
    dprintf(STDERR_FILENO, "assay: cannot run %s: %s\n", command_[0], std::strerror(errno));
    _exit(kNotStartedStatus);
  }

  bool look_at_child() {
    int status = 0;
    if (child_ <= 0 || told_ || waitpid(child_, &status, WNOHANG) != child_) return true;
    told_ = true;
    if (!WIFEXITED(status)) {
      return say({{"type", "ended"},
                  {"test", kTest},
                  {"exit_code", nullptr},
                  {"signal", WTERMSIG(status)},
                  {"limit", nullptr},
                  {"detail", ""}});
    }
    const int code = WEXITSTATUS(status);
    return say({{"type", "result"},
                {"test", kTest},
                {"passed", code == 0},
                {"score", nullptr},
                {"reason", code == 0 ? "" : "exit status " + std::to_string(code)},
                {"metrics", {{"exit_status", code}}},
                {"detail", ""}});
  }

  void bring_out() {
    const int folder = open(work_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (const std::string& path : outputs_) {
      std::string content;
      if (!read_output(folder, path, content)) {
        std::fprintf(stderr, "assay: no output %s of at most 6 MiB\n", path.c_str());
        continue;
      }
      if (!say({{"type", "output"}, {"path", path}, {"content_base64", encode_base64(content)}})) {
        break;
      }
    }
    close(folder);
  }

  std::string folder_;
  std::string work_;
  std::vector<char*> command_;  // ends with a null pointer
  std::vector<std::string> outputs_;
  std::string inbox_;
  int socket_ = -1;
  pid_t child_ = -1;
  bool told_ = false;
  bool let_go_ = false;
};

}  // namespace

int run_program(int argc, char** argv) {
  std::string socket;
  std::string folder;
  std::string work = "/work";
  int i = 0;
  for (; i + 1 < argc && std::string_view(argv[i]) != "--"; i += 2) {
    if (std::string_view(argv[i]) == "--socket") socket = argv[i + 1];
    if (std::string_view(argv[i]) == "--folder") folder = argv[i + 1];
    if (std::string_view(argv[i]) == "--work") work = argv[i + 1];
  }
  if (i + 1 >= argc) return 2;
  std::vector<char*> command(argv + i + 1, argv + argc);
  command.push_back(nullptr);
  prctl(PR_SET_DUMPABLE, 0);
  Program program(folder, work, std::move(command));
  if (!program.connect_to(socket)) {
    std::fprintf(stderr, "assay: cannot connect to the harness: %s\n", std::strerror(errno));
    return 1;
  }
  return program.run();
}

}  // namespace assay::eval::kubernetes
