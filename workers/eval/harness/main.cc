// assay-harness: the sockets and the clock around a Session. One thread, one poll loop; README.md.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>

#include "workers/eval/harness/account.h"
#include "workers/eval/harness/frame.h"
#include "workers/eval/harness/session.h"

namespace assay::eval {
namespace {

// Above this much unread output the runner is not listened to, so that memory stays bounded.
constexpr std::size_t kBacklogBytesMax = 16U << 20;
constexpr std::size_t kPlanBytesMax = 64U << 20;

Milliseconds now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return Milliseconds(time.tv_sec * 1000 + time.tv_nsec / 1'000'000);
}

void set_nonblocking(int descriptor) {
  fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
}

// Bytes on their way out of a descriptor that takes them when it likes.
class Outbox {
 public:
  void add(std::string_view bytes) { bytes_ += bytes; }
  void add_line(const std::string& line) {
    bytes_ += line;
    bytes_ += '\n';
  }
  // False when the other side is gone.
  bool flush(int descriptor) {
    while (sent_ < bytes_.size()) {
      const ssize_t count = write(descriptor, bytes_.data() + sent_, bytes_.size() - sent_);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return errno == EAGAIN;
      sent_ += static_cast<std::size_t>(count);
    }
    clear();
    return true;
  }
  void clear() {
    bytes_.clear();
    sent_ = 0;
  }
  std::size_t waiting() const { return bytes_.size() - sent_; }

 private:
  std::string bytes_;
  std::size_t sent_ = 0;
};

struct HarnessOptions {
  const char* state_path = nullptr;
  bool framed = false;  // lines go out as frames
};

class Harness {
 public:
  Harness(const PodPlan& plan, int listener, HarnessOptions options)
      : session_(plan, now()),
        state_(options.state_path),
        framed_(options.framed),
        listener_(listener) {
    set_nonblocking(STDOUT_FILENO);
    set_nonblocking(listener_);
  }

  int run() {
    apply(session_.on_listening(now()));
    while (!session_.finished()) {
      if (!wait()) return 1;
      apply(session_.on_time(now()));
    }
    return drain() ? 0 : 1;
  }

 private:
  bool wait() {
    const bool listen_to_runner = events_.waiting() < kBacklogBytesMax;
    pollfd fds[3] = {{STDOUT_FILENO, static_cast<short>(events_.waiting() > 0 ? POLLOUT : 0), 0},
                     {listener_, POLLIN, 0},
                     {runner_, 0, 0}};
    if (listen_to_runner) fds[2].events |= POLLIN;
    if (commands_.waiting() > 0) fds[2].events |= POLLOUT;
    const auto left = std::clamp((session_.wake_at() - now()).count(), 0L, 60'000L);
    if (poll(fds, 3, static_cast<int>(left)) < 0) return errno == EINTR;
    // The executor is gone: nobody is left to tell anything.
    if ((fds[0].revents & (POLLERR | POLLNVAL)) != 0) return false;
    if (!events_.flush(STDOUT_FILENO)) return false;
    if ((fds[1].revents & POLLIN) != 0) accept_runner();
    if (runner_ >= 0 && fds[2].fd == runner_) {
      if ((fds[2].revents & POLLOUT) != 0 && !commands_.flush(runner_)) return lose(""), true;
      if ((fds[2].revents & (POLLIN | POLLHUP | POLLERR)) != 0 && listen_to_runner) read_runner();
    }
    return true;
  }

  void accept_runner() {
    const int runner = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (runner < 0) return;
    if (runner_ >= 0) {
      close(runner);
      return;
    }
    runner_ = runner;
    apply(session_.on_connected(now()));
  }

  void read_runner() {
    char chunk[65536];
    const ssize_t count = read(runner_, chunk, sizeof chunk);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) return lose("");
    std::size_t begin = inbox_.size();
    inbox_.append(chunk, static_cast<std::size_t>(count));
    std::size_t line = 0;
    for (std::size_t end; (end = inbox_.find('\n', begin)) != std::string::npos; begin = line) {
      apply(session_.on_line(std::string_view(inbox_).substr(line, end - line), now()));
      line = end + 1;
      if (runner_ < 0) return;
    }
    inbox_.erase(0, line);
    if (inbox_.size() > session_.line_bytes_max()) lose("the runner sent a line that is too long");
  }

  void lose(std::string_view reason) {
    disconnect();
    apply(session_.on_disconnected(reason, now()));
  }

  void disconnect() {
    if (runner_ >= 0) close(runner_);
    runner_ = -1;
    inbox_.clear();
    commands_.clear();
  }

  void apply(const SessionEffects& effects) {
    for (const std::string& line : effects.to_executor) {
      events_.add(framed_ ? frames_.line(line) : line + '\n');
      state_.on_line(line);
    }
    if (runner_ >= 0) {
      for (const std::string& line : effects.to_runner) commands_.add_line(line);
      if (!commands_.flush(runner_) && !effects.disconnect) return lose("");
    }
    if (effects.disconnect) disconnect();
  }

  // What is said at the end must arrive; an executor that does not read for a minute is gone.
  bool drain() {
    while (events_.waiting() > 0) {
      pollfd out{STDOUT_FILENO, POLLOUT, 0};
      if (poll(&out, 1, 60'000) <= 0 || !events_.flush(STDOUT_FILENO)) return false;
    }
    return true;
  }

  Session session_;
  StateFile state_;
  bool framed_;
  FrameWriter frames_;
  int listener_;
  int runner_ = -1;
  std::string inbox_;
  Outbox commands_;
  Outbox events_;
};

int fail(const char* what, const std::string& about, int status) {
  std::fprintf(stderr, "assay-harness: %s%s\n", what, about.c_str());
  return status;
}

bool read_file(const char* path, std::string& out) {
  FILE* file = std::fopen(path, "re");
  if (file == nullptr) return false;
  char chunk[65536];
  for (std::size_t count; (count = std::fread(chunk, 1, sizeof chunk, file)) > 0;) {
    out.append(chunk, count);
    if (out.size() > kPlanBytesMax) break;
  }
  const bool good = std::ferror(file) == 0 && out.size() <= kPlanBytesMax;
  std::fclose(file);
  return good;
}

int listen_at(const char* path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (std::strlen(path) >= sizeof address.sun_path) return errno = ENAMETOOLONG, -1;
  std::strcpy(address.sun_path, path);
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0) return -1;
  unlink(path);
  // The subject runs under another user id; who may reach the folder decides who may connect.
  if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      chmod(path, 0666) != 0 || listen(listener, 4) != 0) {
    close(listener);
    return -1;
  }
  return listener;
}

// Somebody wants the pod gone: not a word more, or the subject's death that comes next would look
// like its own doing. It has to be said, because process 1 of a container ignores what it has no
// handler for.
void leave_at_once(int) {
  _exit(128 + SIGTERM);
}

int run(int argc, char** argv) {
  const char* plan_path = nullptr;
  const char* socket_path = nullptr;
  const char* state_path = nullptr;
  bool framed = false;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::string_view(argv[i]) == "--state") state_path = argv[i + 1];
    if (std::string_view(argv[i]) == "--framed") framed = true;
    if (std::string_view(argv[i]) == "--plan") plan_path = argv[i + 1];
    if (std::string_view(argv[i]) == "--socket") socket_path = argv[i + 1];
  }
  if (argc == 2 && std::string_view(argv[1]) == "--version") {
    std::printf("assay-harness %s\n", ASSAY_VERSION);
    return 0;
  }
  if (argc % 2 == 0 || plan_path == nullptr || socket_path == nullptr) {
    return fail("usage: assay-harness --plan FILE --socket PATH [--state FILE --framed yes]", "",
                2);
  }
  std::string text;
  if (!read_file(plan_path, text)) return fail("cannot read the plan ", plan_path, 2);
  std::string error;
  const auto plan = parse_pod_plan(text, error);
  if (!plan) return fail("", error, 2);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGTERM, leave_at_once);
  const int listener = listen_at(socket_path);
  if (listener < 0) {
    return fail("cannot listen at ", std::string(socket_path) + ": " + std::strerror(errno), 1);
  }
  return Harness(*plan, listener, {state_path, framed}).run();
}

}  // namespace
}  // namespace assay::eval

int main(int argc, char** argv) {
  return assay::eval::run(argc, argv);
}
