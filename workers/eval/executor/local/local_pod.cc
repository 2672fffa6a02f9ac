#include "workers/eval/executor/local/local_pod.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "workers/eval/executor/local/process_tree.h"

namespace assay::eval {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kWatchInterval{50};
// The harness notices within this that its subject is gone, if it ever had one.
constexpr milliseconds kNoticeTimeout{1'000};
// The harness keeps the deadline; if it should fail to, this much later the pod is ended without
// it.
constexpr milliseconds kDeadlineGrace{15'000};
// When all is said the subject may leave by itself, so that its last words are in the log.
constexpr milliseconds kLeaveGrace{200};
constexpr std::uint32_t kNeverConnectedMax = 2;
constexpr std::size_t kLogBurstBytes = 64U << 10;
constexpr std::size_t kLogBytesPerSecond = 16U << 10;
constexpr std::size_t kReadBytesMax = 1U << 20;

constexpr const char* kPasswd = "subject:x:1000:1000::/work:/bin/sh\n";
constexpr const char* kGroup = "subject:x:1000:\n";
constexpr const char* kHosts = "127.0.0.1 localhost\n::1 localhost\n";
constexpr const char* kNameServices = "passwd: files\ngroup: files\nhosts: files\n";

milliseconds since_epoch(std::chrono::steady_clock::time_point time) {
  return std::chrono::duration_cast<milliseconds>(time.time_since_epoch());
}

double in_seconds(std::chrono::steady_clock::duration time) {
  return std::chrono::duration<double>(time).count();
}

Status pod_failed(std::string message) {
  return retry_later("pod_failed", std::move(message));
}

}  // namespace

LocalPod::LocalPod(LocalExecutor& executor, PodSpec spec, PodEvents& events)
    : executor_(executor),
      spec_(std::move(spec)),
      events_(events),
      stop_(eventfd(0, EFD_CLOEXEC)),
      log_(spec_.limits.log_bytes),
      throttle_(kLogBurstBytes, kLogBytesPerSecond),
      thread_([this] { run(); }) {}

LocalPod::~LocalPod() {
  stop();
  thread_.join();
}

void LocalPod::stop() {
  const std::uint64_t one = 1;
  (void)!write(stop_.get(), &one, sizeof one);
}

void LocalPod::push(decltype(PodEvent::what) what) {
  events_.push({spec_.number, std::move(what)});
}

void LocalPod::say(std::string text) {
  if (!text.empty()) push(SubjectLog{std::move(text)});
}

void LocalPod::run() {
  Status status = prepare();
  if (status.is_ok()) status = loop();
  end_subject("", true);
  if (harness_) {
    harness_->kill();
    harness_->wait();
  }
  relays_.clear();
  say(throttle_.flush());
  folder_.reset();
  executor_.give_back_user(user_);
  end_.failure = status;
  end_.usage.wall_seconds = in_seconds(Clock::now() - started_);
  end_.log = log_.text();
  push(std::move(end_));
}

Status LocalPod::prepare() {
  user_ = executor_.take_user();
  Result<PodFolder> folder = PodFolder::make(executor_.pods_folder_, spec_.name);
  if (!folder.is_ok()) return folder.status();
  folder_.emplace(std::move(folder).value());
  Status status = write_files();
  if (status.is_ok()) status = open_endpoints();
  if (status.is_ok() && user_) status = folder_->give_to(executor_.options_.user_base);
  if (status.is_ok()) status = start_harness();
  return status;
}

Status LocalPod::write_files() {
  const std::pair<const char*, std::string_view> files[] = {
      {"assay/runner.py", executor_.options_.runner},
      {"assay/etc/passwd", kPasswd},
      {"assay/etc/group", kGroup},
      {"assay/etc/hosts", kHosts},
      {"assay/etc/nsswitch.conf", kNameServices},
  };
  for (const auto& [path, content] : files) {
    const Status status = folder_->write(path, content);
    if (!status.is_ok()) return status;
  }
  // There is a submission folder even when it holds nothing.
  if (spec_.files->empty()) return folder_->write("assay/submission/.empty", "");
  for (const EvaluationFile& file : *spec_.files) {
    const Status status = folder_->write("assay/submission/" + file.path, file.content);
    if (!status.is_ok()) return status;
  }
  return Status::ok();
}

Status LocalPod::open_endpoints() {
  nlohmann::json job = nlohmann::json::parse(spec_.plan.job, nullptr, false);
  nlohmann::json sockets = nlohmann::json::object();
  for (const EndpointUse& use : spec_.endpoints) {
    const auto& granted = executor_.options_.endpoints;
    const auto found = std::find_if(granted.begin(), granted.end(),
                                    [&](const Endpoint& one) { return one.name == use.name; });
    if (found == granted.end()) return pod_failed("the endpoint " + use.name + " is not granted");
    auto relay = Relay::start(*found, use.budget, folder_->assay_descriptor());
    if (!relay.is_ok()) return relay.status();
    sockets[use.name] = "/assay/endpoints/" + use.name + ".sock";
    relays_.push_back(std::move(relay).value());
  }
  job["endpoints"] = sockets;
  job["submission"] = "/assay/submission";
  spec_.plan.job = job.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return Status::ok();
}

Status LocalPod::start_harness() {
  Status status = folder_->write("plan.json", encode_pod_plan(spec_.plan));
  if (!status.is_ok()) return status;
  const Descriptor plan(
      openat(folder_->descriptor(), "plan.json", O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  Result<Pipe> lines = make_pipe();
  Result<Pipe> complaints = make_pipe();
  if (!plan || !lines.is_ok() || !complaints.is_ok()) return pod_failed("cannot open a pipe");
  ProcessOptions options;
  options.program = executor_.harness_.get();
  options.arguments = {"assay-harness", "--plan", "/dev/stdin", "--socket", "harness.sock"};
  options.folder = folder_->assay_descriptor();
  options.descriptors = {{plan.get(), 0}, {lines->write.get(), 1}, {complaints->write.get(), 2}};
  if (user_) options.user = executor_.options_.user_base;
  Result<Process> harness = Process::start(options);
  if (!harness.is_ok()) return harness.status();
  harness_.emplace(std::move(harness).value());
  harness_lines_ = std::move(lines->read);
  harness_complaints_ = std::move(complaints->read);
  for (const Descriptor* end : {&harness_lines_, &harness_complaints_}) {
    fcntl(end->get(), F_SETFL, O_NONBLOCK);
  }
  return Status::ok();
}

Status LocalPod::start_subject() {
  end_subject("", true);
  connected_ = false;
  subject_gone_.reset();
  ++end_.starts;
  SandboxSpec spec;
  spec.assay_folder = folder_->path() + "/assay";
  spec.user = user_;
  spec.limits = spec_.limits;
  spec.cpu_of_one_process = std::chrono::ceil<seconds>(spec_.plan.deadline) * 4 + seconds(60);
  // The copy is made inside, where /work is. That is the subject's home, too: with -s nothing of
  // it (.local/lib/python3.X/site-packages/*.pth, usercustomize) runs before the runner does.
  spec.command = {"/bin/sh", "-c",
                  "cp -r /assay/submission/. /work/ && exec \"$0\" -s /assay/runner.py "
                  "--socket /assay/harness.sock",
                  executor_.options_.python};
  auto sandbox = Sandbox::start(executor_.tools_, spec);
  if (!sandbox.is_ok()) return sandbox.status();
  subject_ = std::move(sandbox).value();
  return Status::ok();
}

// Runs until the harness has ended, with all its lines read.
Status LocalPod::loop() {
  const auto deadline = Clock::now() + spec_.plan.deadline + kDeadlineGrace;
  while (!stopping_) {
    if (Clock::now() > deadline) return pod_failed("the harness did not end at its deadline");
    const Status status = step();
    if (!status.is_ok()) return status;
    if (!harness_lines_) return on_harness_gone();
  }
  return Status::ok();
}

Status LocalPod::step() {
  pollfd fds[] = {{stop_.get(), POLLIN, 0},
                  {harness_lines_.get(), POLLIN, 0},
                  {harness_complaints_.get(), POLLIN, 0},
                  {subject_ ? subject_->log() : -1, POLLIN, 0},
                  {subject_ ? subject_->descriptor() : -1, POLLIN, 0}};
  const bool watching = subject_ != nullptr || subject_gone_;
  poll(fds, 5, static_cast<int>((watching ? kWatchInterval : milliseconds(1'000)).count()));
  if (fds[0].revents != 0) {
    stopping_ = true;
    return Status::ok();
  }
  if (fds[3].revents != 0) read_log();
  if (fds[2].revents != 0) read_complaints();
  if (subject_ && fds[4].revents != 0) end_subject("", false);
  if (subject_) check_limits();
  if (fds[1].revents != 0) {
    // All that is there, since the last lines come together with the end.
    while (read_harness()) {
    }
    std::size_t begin = 0;
    for (std::size_t end; (end = harness_text_.find('\n', begin)) != std::string::npos;) {
      const Status status = on_harness_line(harness_text_.substr(begin, end - begin));
      if (!status.is_ok()) return status;
      begin = end + 1;
    }
    harness_text_.erase(0, begin);
  }
  return subject_gone_ ? after_subject() : Status::ok();
}

// One piece of the harness's lines; false when there is none now.
bool LocalPod::read_harness() {
  char chunk[65536];
  const ssize_t count = read(harness_lines_.get(), chunk, sizeof chunk);
  if (count > 0) harness_text_.append(chunk, static_cast<std::size_t>(count));
  if (count == 0) harness_lines_.reset();
  return count > 0 && harness_text_.size() < 16 * kReadBytesMax;
}

Status LocalPod::on_harness_line(const std::string& line) {
  const nlohmann::json event = nlohmann::json::parse(line, nullptr, false);
  const std::string name = event.is_object() ? event.value("event", "") : "";
  Status status;
  if (name == "listening") {
    status = start_subject();
  } else if (name == "respawn") {
    push(HarnessLine{line});
    return start_subject();
  } else if (name == "connected") {
    connected_ = true;
    never_connected_ = 0;
  } else if (name == "finished") {
    finished_ = true;
  }
  push(HarnessLine{line});
  return status;
}

Status LocalPod::on_harness_gone() {
  if (finished_) {
    if (subject_) wait_readable(subject_->descriptor(), kLeaveGrace);
    const bool left = subject_ && wait_readable(subject_->descriptor(), milliseconds(0));
    end_subject("", !left);
    return Status::ok();
  }
  read_complaints();
  return pod_failed("the harness ended before it had finished" +
                    (complaints_.empty() ? std::string() : ": " + complaints_));
}

// The subject has ended. The harness says what now, if it had ever met it.
Status LocalPod::after_subject() {
  if (finished_ || connected_ || Clock::now() - *subject_gone_ < kNoticeTimeout) {
    return Status::ok();
  }
  if (++never_connected_ < kNeverConnectedMax) return start_subject();
  return pod_failed("the runner ended before it reached the harness; its last words: " +
                    log_.tail(1000));
}

void LocalPod::read_log() {
  std::string bytes;
  char chunk[65536];
  while (bytes.size() < kReadBytesMax) {
    const ssize_t count = read(subject_->log(), chunk, sizeof chunk);
    if (count <= 0) break;
    bytes.append(chunk, static_cast<std::size_t>(count));
  }
  log_.add(bytes);
  say(throttle_.pass(bytes, since_epoch(Clock::now())));
}

void LocalPod::read_complaints() {
  char chunk[4096];
  const ssize_t count = read(harness_complaints_.get(), chunk, sizeof chunk);
  if (count == 0) harness_complaints_.reset();
  if (count > 0 && complaints_.size() < 4096) {
    complaints_.append(chunk, static_cast<std::size_t>(count));
  }
}

void LocalPod::check_limits() {
  const auto now = Clock::now();
  if (now - measured_ < kWatchInterval || subject_->root() == 0) return;
  measured_ = now;
  const TreeUsage usage = measure_tree(subject_->root());
  std::uint64_t memory = usage.resident_bytes;
  if (memory > spec_.limits.memory_bytes) memory = proportional_bytes(subject_->root());
  end_.usage.memory_bytes_peak = std::max(end_.usage.memory_bytes_peak, memory);
  if (memory > spec_.limits.memory_bytes) return end_subject("memory", false);
  cpu_seen_ = std::max(cpu_seen_, usage.cpu_seconds);
  const double cpu = cpu_before_ + cpu_seen_;
  if (spec_.limits.cpu_seconds > 0 && cpu > spec_.limits.cpu_seconds) end_subject("cpu", false);
}

// Ends it, if it has not ended, and all that came of it. With a limit, SubjectEnded is in the
// events before anything that the harness says of it.
void LocalPod::end_subject(std::string limit, bool stopped) {
  if (!subject_) return;
  const SandboxExit exit = subject_->finish();
  read_log();
  // What is killed together with its process 1 is not counted by the kernel; then what was seen
  // last counts.
  cpu_before_ += std::max(exit.cpu_seconds, std::exchange(cpu_seen_, 0));
  end_.usage.cpu_seconds = cpu_before_;
  subject_.reset();
  subject_gone_ = Clock::now();
  push(SubjectEnded{exit.exit_code, exit.signal, std::move(limit), stopped});
}

}  // namespace assay::eval
