// assay up: a broker and one worker of each kind on this machine, until Ctrl-C.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <utility>

#include "assay/client.h"
#include "cli/commands/commands.h"
#include "cli/interrupts.h"
#include "cli/json_forms.h"
#include "cli/up/broker_file.h"
#include "cli/up/data_directory.h"
#include "cli/up/docker_engine.h"
#include "cli/up/own_keys.h"
#include "cli/up/supervisor.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

constexpr Duration kBrokerReadyMax{120'000};  // it may have a long journal to read
constexpr Duration kWorkersReadyMax{20'000};
constexpr Duration kStopMax{45'000};  // a worker drains for 30 s, then cancels
constexpr const char* kBroker = "assay-broker";
constexpr const char* kOperator = "operator";

struct WorkerKind {
  const char* program;
  const char* folder;
};
constexpr std::array<WorkerKind, 4> kWorkerKinds{{{"assay-eval", "eval"},
                                                  {"assay-build", "build"},
                                                  {"assay-report", "report"},
                                                  {"assay-cleanup", "cleanup"}}};

Endpoints wanted_endpoints(std::uint16_t base) {
  const auto address = [base](int offset) {
    return "127.0.0.1:" + std::to_string(base == 0 ? 0 : base + offset);
  };
  return {"tcp://" + address(0), "tcp://" + address(1), "tcp://" + address(2), address(4000)};
}

class Up {
 public:
  Up(const UpOptions& options, const GlobalOptions& global, Console& console,
     DataDirectory directory)
      : options_(options),
        global_(global),
        console_(console),
        directory_(std::move(directory)),
        programs_(fs::read_symlink("/proc/self/exe").parent_path()),
        supervisor_(interrupts_, console) {}

  ExitCode run() {
    Status status = options_.secure ? make_keys() : Status::ok();
    if (status.is_ok()) status = broker_file(directory_, broker_file_);
    if (status.is_ok()) status = start_broker();
    if (status.is_ok() && !stopping_) status = start_workers();
    if (!status.is_ok()) {
      console_.error(status.message());
      supervisor_.stop(kStopMax);
      return ExitCode::kError;
    }
    while (!stopping_) {
      if (supervisor_.look_after(std::chrono::hours(1))) stopping_ = true;
    }
    return stop();
  }

 private:
  Status make_keys() {
    std::vector<std::string> names{kOperator};
    for (const WorkerKind& kind : kWorkerKinds) names.emplace_back(kind.folder);
    auto made = OwnKeys::make(directory_ / "keys", names);
    if (!made.is_ok()) return made.status();
    keys_ = std::move(*made);
    return Status::ok();
  }

  ChildOptions broker_options(const Endpoints& endpoints, int ready) const {
    ChildOptions options;
    options.program = programs_ / kBroker;
    options.arguments = {"--config",  broker_file_,      "--data-dir", directory_ / "broker",
                         "--clients", endpoints.clients, "--workers",  endpoints.workers,
                         "--feed",    endpoints.feed};
    if (!endpoints.http.empty()) {
      options.arguments.insert(options.arguments.end(), {"--http", endpoints.http});
    }
    if (keys_) {
      options.arguments.insert(options.arguments.end(), {"--broker-key", keys_->key_file("broker"),
                                                         "--known-keys", keys_->known_keys()});
    }
    options.log_path = directory_.log("broker");
    if (ready >= 0) {
      options.arguments.insert(options.arguments.end(), {"--ready-fd", std::to_string(ready)});
      options.inherited_descriptor = ready;
    }
    return options;
  }

  Status start_broker() {
    std::array<int, 2> ready{};
    if (pipe2(ready.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
      return internal_error("cannot_start",
                            std::string("no pipe: ") + std::strerror(errno));  // NOLINT
    }
    const Status started =
        supervisor_.start(kBroker, broker_options(wanted_endpoints(options_.port_base), ready[1]));
    close(ready[1]);
    Status status = started.is_ok() ? read_endpoints(ready[0]) : started;
    close(ready[0]);
    // Started again it must be found where clients and workers knew it, whatever ports were free.
    if (status.is_ok()) supervisor_.change(kBroker, broker_options(endpoints_, -1));
    return status;
  }

  // Waits for the one line that the broker writes once it can be used.
  Status read_endpoints(int ready) {
    std::string line;
    const auto deadline = steady_clock::now() + kBrokerReadyMax;
    while (steady_clock::now() < deadline) {
      std::array<char, 1024> bytes{};
      const ssize_t length = read(ready, bytes.data(), bytes.size());
      if (length > 0) line.append(bytes.data(), static_cast<std::size_t>(length));
      if (line.find('\n') != std::string::npos) {
        const auto endpoints = parse_endpoints(line);
        if (!endpoints)
          return internal_error("not_ready", kBroker + (" said '" + line + "', no endpoints"));
        endpoints_ = *endpoints;
        return Status::ok();
      }
      if (const auto end = supervisor_.ended(kBroker)) {
        const std::string words = supervisor_.last_words(kBroker);
        return internal_error("cannot_start", std::string(kBroker) + " did not start (" +
                                                  end->text() + "):\n" + words);
      }
      const auto signal = interrupts_.next(Duration(50));
      if (signal && *signal != SIGCHLD) {
        stopping_ = true;
        return Status::ok();
      }
    }
    return internal_error("not_ready", std::string(kBroker) + " was not ready in time; its log: " +
                                           directory_.log("broker"));
  }

  ChildOptions worker_options(const WorkerKind& kind) const {
    ChildOptions options;
    options.program = programs_ / kind.program;
    options.arguments = {"--broker",    endpoints_.workers,
                         "--data-dir",  directory_ / kind.folder,
                         "--artifacts", directory_ / "artifacts"};  // all share one store
    options.log_path = directory_.log(kind.folder);
    const auto add = [&options](std::initializer_list<std::string> more) {
      options.arguments.insert(options.arguments.end(), more);
    };
    if (keys_) add({"--key", keys_->key_file(kind.folder), "--server-key", keys_->server_key()});
    if (options_.slots) add({"--slots", std::to_string(*options_.slots)});
    const std::string_view folder = kind.folder;
    if (folder == "report" || folder == "cleanup") add({"--clients", endpoints_.clients});
    if (folder == "cleanup") add({"--reports-dir", directory_ / "report/reports"});
    if (folder == "build" && !options_.build_config.empty()) {
      add({"--config", options_.build_config});
    }
    if (folder != "eval") return options;
    if (!options_.eval_config.empty()) add({"--config", options_.eval_config});
    for (const std::string& endpoint : options_.endpoints) add({"--endpoint", endpoint});
    return options;
  }

  Status start_workers() {
    std::vector<std::string> names;
    for (const WorkerKind& kind : kWorkerKinds) {
      if (!fs::exists(programs_ / kind.program)) continue;
      Status status = supervisor_.start(kind.program, worker_options(kind));
      if (!status.is_ok()) return status;
      // Without a Docker engine it waits for one, and so would we.
      if (std::string_view(kind.folder) == "build" && !has_docker_engine()) {
        waiting_ = std::string(", ") + kind.program + " (waits for a Docker engine)";
      } else {
        names.emplace_back(kind.program);
      }
    }
    if (names.empty()) {
      console_.error("no worker program stands beside " + (programs_ / "assay").string() +
                     "; tasks will wait until one connects to " + endpoints_.workers);
    }
    Status status = wait_for_workers(names);
    if (status.is_ok() && !stopping_) tell_ready(names);
    return status;
  }

  Status wait_for_workers(const std::vector<std::string>& names) {
    Client client({.endpoint = endpoints_.clients,
                   .name = "assay up",
                   .notice = [](std::string_view) {},
                   .key_file = keys_ ? keys_->key_file(kOperator) : "",
                   .server_key = keys_ ? keys_->server_key() : ""});
    const auto deadline = steady_clock::now() + kWorkersReadyMax;
    while (!stopping_) {
      const Result<std::vector<WorkerInfo>> workers = client.workers();
      if (workers.is_ok() && workers->size() >= names.size()) return Status::ok();
      for (const std::string& name : names) {
        const auto end = supervisor_.ended(name);
        if (end && end->exited && end->number == 2) {
          return internal_error("cannot_start", name + " did not start (" + end->text() + "):\n" +
                                                    supervisor_.last_words(name));
        }
      }
      if (steady_clock::now() > deadline) {
        console_.error("not all workers are connected yet; their logs: " + directory_ / "log");
        return Status::ok();
      }
      if (supervisor_.look_after(Duration(50))) stopping_ = true;
    }
    return Status::ok();
  }

  void tell_ready(const std::vector<std::string>& names) {
    if (global_.json) {
      console_.print(to_json(endpoints_, directory_.path()));
      console_.flush();
      return;
    }
    std::string workers;
    for (const std::string& name : names) workers += ", " + name;
    console_.print(
        Line{{"ready: ", Ink::kGreen},
             {endpoints_.clients + ", data in " + directory_.path() + ", stop with Ctrl-C"}});
    console_.print(Line{{"  runs     "}, {kBroker + workers + waiting_}});
    console_.print(Line{{"  feed     "}, {endpoints_.feed}});
    console_.print(Line{{"  workers  "}, {endpoints_.workers}});
    if (!endpoints_.http.empty()) {
      const bool whole = endpoints_.http.find("://") != std::string::npos;
      console_.print(
          Line{{"  metrics  "}, {(whole ? "" : "http://") + endpoints_.http + "/metrics"}});
    }
    console_.print(Line{{"  logs     "}, {directory_ / "log"}});
    if (endpoints_.clients != GlobalOptions().broker) {
      console_.print("In other terminals: export ASSAY_BROKER=" + endpoints_.clients +
                     " ASSAY_FEED=" + endpoints_.feed);
    }
    if (keys_) {
      console_.print("In other terminals: export ASSAY_KEY=" + keys_->key_file(kOperator) +
                     " ASSAY_SERVER_KEY=" + keys_->server_key());
    }
    console_.flush();
  }

  ExitCode stop() {
    if (!global_.json) {
      console_.print("stopping: what runs may finish for a while; Ctrl-C again stops at once");
      console_.flush();
    }
    const bool drained = supervisor_.stop(kStopMax);
    if (!drained) {
      console_.error(
          "stopped at once; what ran is still recorded and runs again at the next start");
    } else if (!global_.json) {
      console_.print("stopped");
    }
    return ExitCode::kOk;
  }

  Interrupts interrupts_{SIGCHLD};
  const UpOptions& options_;
  const GlobalOptions& global_;
  Console& console_;
  DataDirectory directory_;
  std::string broker_file_;
  fs::path programs_;
  Endpoints endpoints_;
  std::string waiting_;  // the worker that lacks what it works with, for people
  std::optional<OwnKeys> keys_;
  bool stopping_ = false;
  Supervisor supervisor_;  // last: it goes first, with the children
};

}  // namespace

ExitCode run(const UpOptions& options, const GlobalOptions& global, Console& console) {
  Result<DataDirectory> directory =
      DataDirectory::take(options.directory.empty() ? default_data_directory() : options.directory);
  if (!directory.is_ok()) {
    console.error(directory.status().message());
    return ExitCode::kError;
  }
  return Up(options, global, console, std::move(*directory)).run();
}

}  // namespace assay::cli
