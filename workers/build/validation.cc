#include "workers/build/validation.h"

#include <chrono>
#include <nlohmann/json.hpp>

#include "sdk/log/printable.h"

namespace assay::image_build {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::json;

constexpr Duration kLook{200};
constexpr Duration kProbeTimeout{5'000};
constexpr std::size_t kLogBytesMax = std::size_t{64} << 10;
constexpr std::size_t kShownBytesMax = 300;

std::string shown(std::string_view text) {
  return "'" + log::printable(text.substr(0, kShownBytesMax)) + "'";
}

Failure said_no(std::string reason) {
  return {Failure::Kind::kTask, std::move(reason)};
}

std::string as_text(const Json& value) {
  return value.is_string() ? value.get<std::string>()
                           : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

class Validation {
 public:
  Validation(DockerApi& engine, const Probe& probe, const Pause& pause,
             const ValidationSubject& subject, const BuildValidation& wanted,
             const std::stop_token& stop)
      : engine_(engine),
        probe_(probe),
        pause_(pause),
        subject_(subject),
        wanted_(wanted),
        stop_(stop) {}

  ValidationOutcome run() {
    out_.failure = begin();
    if (!out_.failure) out_.failure = serves() ? wait_for_health() : wait_for_exit();
    out_.healthy = !out_.failure;
    if (!out_.failure && !wanted_.inference_path.empty()) {
      out_.failure = infer();
      out_.inferred = !out_.failure;
    }
    if (out_.failure && !container_.empty()) {
      // With a token of its own: a build that was stopped leaves nothing behind either.
      Result<std::string> log = engine_.container_log(container_, kLogBytesMax, {});
      if (log.is_ok()) out_.container_log = std::move(*log);
    }
    end();
    return std::move(out_);
  }

 private:
  bool serves() const { return !wanted_.health_path.empty(); }

  // What makes something is not stopped half way: it would be there, and nobody would know its id.
  std::optional<Failure> begin() {
    ContainerSpec spec;
    spec.name = subject_.name;
    spec.image = subject_.image;
    spec.command = wanted_.command;
    spec.environment = wanted_.environment;
    spec.labels = subject_.labels;
    spec.memory_bytes = wanted_.memory_bytes;
    spec.cpus = wanted_.cpus;
    spec.network = "none";
    if (serves()) {
      Result<std::string> network = engine_.create_network(subject_.name, subject_.labels, {});
      if (!network.is_ok()) return failure_of(network.status());
      network_ = *network;
      spec.network = network_;
    }
    Result<std::string> container = engine_.create_container(spec, {});
    if (!container.is_ok()) return failure_of(container.status());
    container_ = *container;
    const Status started = engine_.start_container(container_, {});
    if (started.is_ok()) return std::nullopt;
    if (started.code() == Code::kRetryCall) return failure_of(started);
    return said_no("the container could not be started: " + started.message());
  }

  static std::string exit_text(const ContainerState& state) {
    if (state.out_of_memory) return "it was ended because it used more memory than its limit";
    return "it exited with " + std::to_string(state.exit_code) +
           (state.error.empty() ? "" : " (" + log::printable(state.error) + ")");
  }

  // Looks until `look` has an answer or time is over.
  template <typename Look>
  std::optional<Failure> until(Duration at_most, const std::string& late, Look look) {
    const auto deadline = Clock::now() + at_most;
    while (true) {
      const Result<ContainerState> state = engine_.container_state(container_, stop_);
      if (!state.is_ok()) return failure_of(state.status());
      bool done = false;
      std::optional<Failure> failure = look(*state, done);
      if (failure || done) return failure;
      if (Clock::now() > deadline) return said_no(late);
      if (stop_.stop_requested() || !pause_(kLook)) {
        return Failure{Failure::Kind::kStopped, "stopped"};
      }
    }
  }

  std::optional<Failure> wait_for_exit() {
    return until(wanted_.health_timeout, "the container did not end within its time",
                 [&](const ContainerState& state, bool& done) -> std::optional<Failure> {
                   if (state.running) return std::nullopt;
                   done = true;
                   if (state.exit_code == 0 && !state.out_of_memory) return std::nullopt;
                   return said_no("the container: " + exit_text(state));
                 });
  }

  std::string url(const std::string& path) const {
    return "http://" + address_ + ":" + std::to_string(wanted_.port) + path;
  }

  std::optional<Failure> wait_for_health() {
    std::string last = "nothing answered";
    const std::string where = "port " + std::to_string(wanted_.port) + wanted_.health_path;
    std::optional<Failure> failure =
        until(wanted_.health_timeout, "the health check never passed",
              [&](const ContainerState& state, bool& done) -> std::optional<Failure> {
                if (!state.running) {
                  return said_no("the container ended before its health check passed: " +
                                 exit_text(state));
                }
                address_ = state.address;
                if (address_.empty()) return std::nullopt;
                const Result<ProbeAnswer> answer =
                    probe_("GET", url(wanted_.health_path), "", "", kProbeTimeout);
                done = answer.is_ok() && answer->status >= 200 && answer->status < 300;
                last = answer.is_ok() ? "it answered " + std::to_string(answer->status)
                                      : answer.status().message();
                return std::nullopt;
              });
    if (failure && failure->reason == "the health check never passed") {
      failure->reason += ": " + where + ", last: " + log::printable(last.substr(0, kShownBytesMax));
    }
    return failure;
  }

  std::optional<Failure> infer() {
    const Result<ProbeAnswer> answer =
        probe_(wanted_.inference_method, url(wanted_.inference_path),
               wanted_.inference_content_type, wanted_.inference_body, wanted_.inference_timeout);
    if (stop_.stop_requested()) return Failure{Failure::Kind::kStopped, "stopped"};
    if (!answer.is_ok()) return said_no("the inference request: " + answer.status().message());
    const std::string problem = answer_problem(wanted_, *answer);
    if (problem.empty()) return std::nullopt;
    return said_no("the inference request: " + problem);
  }

  void end() {
    if (!container_.empty()) (void)engine_.remove_container(container_, {});
    if (!network_.empty()) (void)engine_.remove_network(network_, {});
  }

  DockerApi& engine_;
  const Probe& probe_;
  const Pause& pause_;
  const ValidationSubject& subject_;
  const BuildValidation& wanted_;
  const std::stop_token& stop_;
  ValidationOutcome out_;
  std::string network_;
  std::string container_;
  std::string address_;
};

}  // namespace

std::string answer_problem(const BuildValidation& wanted, const ProbeAnswer& answer) {
  if (answer.status != wanted.inference_status) {
    return "expected status " + std::to_string(wanted.inference_status) + ", found " +
           std::to_string(answer.status) + " with " + shown(answer.body);
  }
  if (answer.body.find(wanted.inference_text) == std::string::npos) {
    return "expected " + shown(wanted.inference_text) + " in the answer, found " +
           shown(answer.body);
  }
  if (wanted.inference_fields.empty()) return {};
  const Json json = Json::parse(answer.body, nullptr, false);
  if (json.is_discarded()) return "expected JSON, found " + shown(answer.body);
  for (const auto& [pointer, expected] : wanted.inference_fields) {
    try {
      const std::string found = as_text(json.at(Json::json_pointer(pointer)));
      if (found != expected) {
        return "expected " + shown(expected) + " at " + pointer + ", found " + shown(found);
      }
    } catch (const Json::exception&) {
      return "expected a value at " + shown(pointer) + ", found " + shown(answer.body);
    }
  }
  return {};
}

ValidationOutcome validate(DockerApi& engine, const Probe& probe, const Pause& pause,
                           const ValidationSubject& subject, const BuildValidation& wanted,
                           const std::stop_token& stop) {
  return Validation(engine, probe, pause, subject, wanted, stop).run();
}

}  // namespace assay::image_build
