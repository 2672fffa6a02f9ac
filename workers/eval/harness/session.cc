#include "workers/eval/harness/session.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "workers/eval/harness/runner_line.h"

namespace assay::eval {
namespace {

using nlohmann::json;

// After `finish` the runner may take this long to send the outputs.
constexpr Milliseconds kFinishGrace{10'000};
// Progress of a test is for people; more often than this nobody reads it.
constexpr Milliseconds kProgressInterval{100};

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

double seconds(Milliseconds time) {
  return static_cast<double>(time.count()) / 1000.0;
}

json verdict(std::string_view event, const RunnerLine& line) {
  return {{"event", event},
          {"test", line.test},
          {"score", line.score ? json(*line.score) : json(nullptr)},
          {"reason", line.reason},
          {"metrics", json::parse(line.metrics, nullptr, false)}};
}

std::string_view outcome_of(const RunnerLine& line) {
  if (line.passed) return *line.passed ? "passed" : "failed";
  return line.score ? "scored" : "error";
}

std::string how_it_ended(const RunnerLine& line) {
  if (line.signal) return "its process was ended by signal " + std::to_string(*line.signal);
  return "its process ended with exit code " + std::to_string(line.exit_code.value_or(0)) +
         " and without a result";
}

bool is_base64(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/' || c == '=';
  });
}

}  // namespace

Session::Session(PodPlan plan, Milliseconds now)
    : plan_(std::move(plan)),
      deadline_(now + plan_.deadline),
      phase_since_(now),
      progress_at_(now - kProgressInterval),
      outputs_left_(plan_.outputs) {}

Session::~Session() = default;

SessionEffects Session::take() {
  SessionEffects out = std::move(effects_);
  effects_ = {};
  return out;
}

SessionEffects Session::on_listening(Milliseconds now) {
  phase_since_ = now;
  effects_.to_executor.push_back(dump({{"event", "listening"}}));
  return take();
}

SessionEffects Session::on_connected(Milliseconds now) {
  if (phase_ != Phase::kConnecting) return take();
  phase_ = Phase::kLoading;
  phase_since_ = now;
  const json job = json::parse(plan_.job, nullptr, false);
  effects_.to_runner.push_back(dump({{"type", "job"}, {"protocol", 1}, {"job", job}}));
  effects_.to_executor.push_back(dump({{"event", "connected"}}));
  return take();
}

SessionEffects Session::on_line(std::string_view text, Milliseconds now) {
  if (phase_ == Phase::kConnecting || phase_ == Phase::kFinished) return take();
  std::string error;
  const std::optional<RunnerLine> line = parse_runner_line(text, error);
  if (!line) {
    lose_subject("the runner sent a line that breaks the protocol: " + error, now);
    return take();
  }
  switch (line->type) {
    case RunnerLine::Type::kLoaded:
      on_loaded(*line, now);
      break;
    case RunnerLine::Type::kLoadFailed:
      if (phase_ == Phase::kLoading) finish("load_failed", line->reason, line->detail, now);
      break;
    case RunnerLine::Type::kPartial:
      on_partial(*line, now);
      break;
    case RunnerLine::Type::kProgress:
      on_progress(*line, now);
      break;
    case RunnerLine::Type::kResult:
      on_result(*line, now);
      break;
    case RunnerLine::Type::kEnded:
      on_ended(*line, now);
      break;
    case RunnerLine::Type::kOutput:
      on_output(*line);
      break;
  }
  return take();
}

SessionEffects Session::on_disconnected(std::string_view reason, Milliseconds now) {
  if (phase_ == Phase::kFinishing) {
    finish("done", "", "", now);
  } else if (phase_ != Phase::kConnecting && phase_ != Phase::kFinished) {
    lose_subject(reason.empty() ? "the subject's process is gone" : reason, now);
  }
  effects_.disconnect = false;
  return take();
}

SessionEffects Session::on_time(Milliseconds now) {
  if (phase_ == Phase::kFinished) return take();
  if (now >= deadline_) {
    while (!flying_.empty()) {
      finish_test(tests_[flying_.back()],
                  {"timeout", "the time of the whole was over while it ran"}, now);
    }
    finish(phase_ == Phase::kFinishing ? "done" : "deadline", "", "", now);
    return take();
  }
  const Milliseconds waited = now - phase_since_;
  if (phase_ == Phase::kConnecting && waited >= connect_timeout()) {
    finish("gave_up", "no runner connected in time", "", now);
  } else if (phase_ == Phase::kLoading && waited >= plan_.load_timeout) {
    // It would take as long the next time.
    finish("load_failed", "it was still loading when the time for it was over", "", now);
  } else if (phase_ == Phase::kFinishing && waited >= kFinishGrace) {
    finish("done", "", "", now);
  } else if (phase_ == Phase::kRunning) {
    check_tests(now);
  }
  return take();
}

Milliseconds Session::connect_timeout() const {
  const bool again = loaded_once_ || restarts_ > 0;
  return again ? plan_.connect_timeout
               : plan_.first_connect_timeout.value_or(plan_.connect_timeout);
}

Milliseconds Session::wake_at() const {
  Milliseconds at = deadline_;
  if (phase_ == Phase::kConnecting) at = std::min(at, phase_since_ + connect_timeout());
  if (phase_ == Phase::kLoading) at = std::min(at, phase_since_ + plan_.load_timeout);
  if (phase_ == Phase::kFinishing) at = std::min(at, phase_since_ + kFinishGrace);
  if (phase_ == Phase::kRunning) {
    for (const std::size_t index : flying_) {
      const Test& test = tests_[index];
      at = std::min(
          at, test.killed ? *test.killed + plan_.kill_grace : test.started + plan_.test_timeout);
    }
  }
  return at;
}

// Tests that run too long are killed; a runner that does not obey is not waited for.
void Session::check_tests(Milliseconds now) {
  for (const std::size_t index : flying_) {
    Test& test = tests_[index];
    if (!test.killed && now - test.started >= plan_.test_timeout) kill_test(test, now);
    if (test.killed && now - *test.killed >= plan_.kill_grace) {
      return lose_subject("the runner did not end " + test.name + " when it was told to", now);
    }
  }
}

void Session::kill_test(Test& test, Milliseconds now) {
  test.killed = now;
  effects_.to_runner.push_back(dump({{"type", "kill"}, {"test", test.name}}));
}

// The first `loaded` settles what is run; a later one only says what is still there.
bool Session::adopt_tests(const RunnerLine& line) {
  if (!tests_adopted_) {
    if (plan_.tests) {
      for (const std::string& name : *plan_.tests) {
        if (index_.emplace(name, tests_.size()).second) tests_.push_back({.name = name});
      }
    } else {
      for (const LoadedTest& test : line.tests) {
        index_.emplace(test.name, tests_.size());
        tests_.push_back({.name = test.name});
      }
    }
    tests_adopted_ = true;
  }
  for (Test& test : tests_) test.known = false;
  for (const LoadedTest& loaded : line.tests) {
    const auto found = index_.find(loaded.name);
    if (found == index_.end()) continue;
    tests_[found->second].known = true;
    tests_[found->second].streams = loaded.streams;
  }
  const bool first = !loaded_once_;
  loaded_once_ = true;
  return first;
}

void Session::on_loaded(const RunnerLine& line, Milliseconds now) {
  if (phase_ != Phase::kLoading) {
    return lose_subject("the runner said `loaded` twice", now);
  }
  const bool first = adopt_tests(line);
  if (first && (plan_.discover_only || !plan_.tests)) {
    json names = json::array();
    for (const LoadedTest& test : line.tests) names.push_back(test.name);
    effects_.to_executor.push_back(dump({{"event", "discovered"}, {"tests", names}}));
  }
  phase_ = Phase::kRunning;
  phase_since_ = now;
  if (plan_.discover_only) return finish("done", "", "", now);
  start_tests(now);
}

// Starts what may be started now; when nothing is left, asks for the outputs.
void Session::start_tests(Milliseconds now) {
  if (phase_ != Phase::kRunning) return;
  if (suspects_ > 0) {
    if (!flying_.empty()) return;
    for (Test& test : tests_) {
      if (test.state != State::kPending || !test.suspect) continue;
      --suspects_;
      if (start_test(test, now)) return;
    }
  }
  while (next_ < tests_.size() && flying_.size() < plan_.concurrency) {
    Test& test = tests_[next_++];
    if (test.state == State::kPending) start_test(test, now);
  }
  if (!flying_.empty() || next_ < tests_.size()) return;
  phase_ = Phase::kFinishing;
  phase_since_ = now;
  effects_.to_runner.push_back(dump({{"type", "finish"}}));
}

bool Session::start_test(Test& test, Milliseconds now) {
  ++started_;
  effects_.to_executor.push_back(dump({{"event", "started"},
                                       {"test", test.name},
                                       {"index", std::min(started_, tests_.size())},
                                       {"total", tests_.size()}}));
  test.state = State::kInFlight;
  test.started = test.last_partial = now;
  test.killed.reset();
  flying_.push_back(index_.at(test.name));
  if (!test.known) {
    finish_test(test, {"error", "the subject has no test of this name"}, now);
    return false;
  }
  effects_.to_runner.push_back(dump({{"type", "run"}, {"test", test.name}}));
  return true;
}

Session::Test* Session::in_flight(const std::string& name) {
  const auto found = index_.find(name);
  if (phase_ != Phase::kRunning || found == index_.end()) return nullptr;
  Test& test = tests_[found->second];
  return test.state == State::kInFlight ? &test : nullptr;
}

void Session::on_partial(const RunnerLine& line, Milliseconds now) {
  Test* test = in_flight(line.test);
  if (test == nullptr || !test->streams || test->killed) return;
  if (results_ >= plan_.results_max) {
    test->over_limit = true;
    return kill_test(*test, now);
  }
  ++results_;
  json event = verdict("partial", line);
  event["name"] = line.name;
  event["passed"] = line.passed ? json(*line.passed) : json(nullptr);
  // A claim is believed as far as it is possible.
  const double since_start = seconds(now - test->started);
  const double since_last = seconds(now - test->last_partial);
  event["seconds"] = std::clamp(line.seconds.value_or(since_last), 0.0, since_start);
  test->last_partial = now;
  effects_.to_executor.push_back(dump(event));
}

void Session::on_progress(const RunnerLine& line, Milliseconds now) {
  if (in_flight(line.test) == nullptr || now - progress_at_ < kProgressInterval) return;
  progress_at_ = now;
  effects_.to_executor.push_back(dump({{"event", "progress"},
                                       {"test", line.test},
                                       {"done", line.done},
                                       {"total", line.total},
                                       {"text", line.text}}));
}

void Session::on_result(const RunnerLine& line, Milliseconds now) {
  Test* test = in_flight(line.test);
  // Once it is killed its time is over, whatever it still says; `ended` follows.
  if (test == nullptr || test->killed) return;
  // Whoever looks at the clock is not asked whether it was the poll loop that was late.
  if (now - test->started >= plan_.test_timeout) return kill_test(*test, now);
  ++results_;
  json event = verdict("result", line);
  event["outcome"] = outcome_of(line);
  event["detail"] = line.detail;
  event["seconds"] = seconds(now - test->started);
  effects_.to_executor.push_back(dump(event));
  test->state = State::kOver;
  std::erase(flying_, index_.at(test->name));
  start_tests(now);
}

void Session::on_ended(const RunnerLine& line, Milliseconds now) {
  Test* test = in_flight(line.test);
  if (test == nullptr) return;
  Ending ending = killed_ending(*test);
  if (!test->killed && !line.limit.empty()) {
    ending = {"limit", "it reached its limit of " + line.limit};
  } else if (!test->killed) {
    ending = {"crashed", how_it_ended(line)};
  }
  ending.detail = line.detail;
  finish_test(*test, ending, now);
  start_tests(now);
}

Session::Ending Session::killed_ending(const Test& test) const {
  if (test.over_limit) return {"limit", "it reported more results than are accepted"};
  char limit[32];
  std::snprintf(limit, sizeof limit, "%g", seconds(plan_.test_timeout));
  return {"timeout", std::string("it was still running after its ") + limit + " s"};
}

void Session::finish_test(Test& test, const Ending& ending, Milliseconds now) {
  ++results_;
  json event = {{"event", "result"},         {"test", test.name},
                {"outcome", ending.outcome}, {"score", nullptr},
                {"reason", ending.reason},   {"metrics", json::object()},
                {"detail", ending.detail},   {"seconds", seconds(now - test.started)}};
  if (ending.lost) event["lost"] = true;
  effects_.to_executor.push_back(dump(event));
  test.state = State::kOver;
  std::erase(flying_, index_.at(test.name));
}

void Session::on_output(const RunnerLine& line) {
  const auto wanted = std::find(outputs_left_.begin(), outputs_left_.end(), line.path);
  if (phase_ != Phase::kFinishing || wanted == outputs_left_.end()) return;
  if (!is_base64(line.content_base64)) return;
  outputs_left_.erase(wanted);
  effects_.to_executor.push_back(
      dump({{"event", "output"}, {"path", line.path}, {"content_base64", line.content_base64}}));
}

void Session::lose_subject(std::string_view reason, Milliseconds now) {
  const std::vector<std::size_t> were_flying = flying_;
  for (const std::size_t index : were_flying) {
    Test& test = tests_[index];
    if (test.killed) {
      finish_test(test, killed_ending(test), now);
    } else if (were_flying.size() == 1 || test.streams) {
      finish_test(test, {"crashed", std::string(reason), {}, true}, now);
    } else {
      test.state = State::kPending;
      test.suspect = true;
      ++suspects_;
      std::erase(flying_, index);
    }
  }
  effects_.disconnect = true;
  if (phase_ == Phase::kFinishing) return finish("done", "", "", now);
  // What dies while it is loaded dies of itself, and would again.
  if (!loaded_once_) return finish("load_failed", reason, "", now);
  if (suspects_ == 0 && next_ >= tests_.size()) return finish("done", "", "", now);
  if (restarts_ >= plan_.restarts_max) return finish("gave_up", reason, "", now);
  ++restarts_;
  phase_ = Phase::kConnecting;
  phase_since_ = now;
  effects_.to_executor.push_back(dump({{"event", "respawn"}, {"reason", reason}}));
}

void Session::finish(std::string_view reason, std::string_view text, std::string_view detail,
                     Milliseconds now) {
  while (!flying_.empty()) {
    finish_test(tests_[flying_.back()], {"crashed", "the subject was lost", {}, true}, now);
  }
  json not_run = json::array();
  if (!plan_.discover_only) {
    for (const Test& test : tests_) {
      if (test.state == State::kPending) not_run.push_back(test.name);
    }
    if (!tests_adopted_ && plan_.tests) not_run = *plan_.tests;
  }
  if (phase_ != Phase::kConnecting && reason == "done") {
    if (phase_ == Phase::kRunning) effects_.to_runner.push_back(dump({{"type", "finish"}}));
  }
  phase_ = Phase::kFinished;
  effects_.disconnect = true;
  effects_.to_executor.push_back(dump({{"event", "finished"},
                                       {"reason", reason},
                                       {"text", text},
                                       {"detail", detail},
                                       {"not_run", not_run}}));
}

}  // namespace assay::eval
