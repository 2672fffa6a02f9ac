#include "workers/eval/monitor/record.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "workers/eval/harness/runner_line.h"

namespace assay::eval {
namespace {

using nlohmann::json;

constexpr std::size_t kTestsKeptMax = 200'000;
constexpr std::size_t kAllDetailBytesMax = 24U << 20;
constexpr std::size_t kOutputBytesMax = 9U << 20;  // base64, all together

std::string limit_text(const std::string& limit) {
  if (limit == "memory") return "the subject used more memory than it may";
  if (limit == "cpu") return "the subject used more processor time than it may";
  return "the subject reached its limit of " + limit;
}

// The first so many bytes of a text on one line.
std::string one_line(const std::string& text) {
  constexpr std::size_t kBytesMax = 300;
  std::string line(cut_text(text, kBytesMax));
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

std::optional<double> number_of(const json& event, const char* key) {
  const auto found = event.find(key);
  if (found == event.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

std::vector<std::string> names_of(const json& event, const char* key) {
  std::vector<std::string> out;
  const auto found = event.find(key);
  if (found == event.end() || !found->is_array()) return out;
  for (const json& name : *found) out.push_back(name.get<std::string>());
  return out;
}

}  // namespace

void Tally::add(const TestRecord& test) {
  ++by_outcome[test.outcome];
  if (test.score) {
    score_sum += *test.score;
  } else if (test.outcome == "passed") {
    score_sum += 1;
  } else if (test.outcome != "failed") {
    return;
  }
  ++scored;
}

void Tally::add(const Tally& other) {
  for (const auto& [outcome, count] : other.by_outcome) by_outcome[outcome] += count;
  score_sum += other.score_sum;
  scored += other.scored;
}

void EvaluationRecord::on_plan(std::size_t pod, std::size_t tests) {
  pods_[pod].tests = tests;
}

void EvaluationRecord::on_launch(std::size_t pod) {
  PodRecord& record = pods_[pod];
  ++record.launches;
  record.ended.clear();
  record.failure.clear();
  limit_now_.erase(pod);
  forget_unfinished(pod);
}

void EvaluationRecord::forget_unfinished(std::size_t pod) {
  const auto unfinished = [&](const std::string& test) {
    const auto found = streamed_.find(test);
    return found != streamed_.end() && found->second.pod == pod && !finished_.contains(test);
  };
  std::erase_if(tests_, [&](const TestRecord& test) {
    if (test.of.empty() || !unfinished(test.of)) return false;
    detail_bytes_ -= test.detail.size() + test.metrics.size() + test.reason.size();
    return true;
  });
  for (auto one = streamed_.begin(); one != streamed_.end();) {
    if (unfinished(one->first)) {
      not_kept_ -= one->second.not_kept;
      one = streamed_.erase(one);
    } else {
      ++one;
    }
  }
}

Tally EvaluationRecord::tally() const {
  Tally out = whole_;
  for (const auto& [test, streamed] : streamed_) out.add(streamed.tally);
  return out;
}

void EvaluationRecord::forget_pods() {
  pods_.clear();
}

bool EvaluationRecord::load_failed() const {
  for (const auto& [number, pod] : pods_) {
    if (pod.ended == "load_failed") return true;
  }
  return false;
}

bool EvaluationRecord::may_be_graded() const {
  return std::all_of(pods_.begin(), pods_.end(), [](const auto& one) {
    return one.second.failure.empty() && one.second.ended == "done";
  });
}

void EvaluationRecord::begin_grading() {
  EvaluationRecord fresh;
  fresh.pods_ = std::move(pods_);
  fresh.outputs_ = std::move(outputs_);
  fresh.output_bytes_ = output_bytes_;
  fresh.current_ = "grading";
  for (auto& [number, pod] : fresh.pods_) pod.tests = 0, pod.not_run.clear();
  *this = std::move(fresh);
}

void EvaluationRecord::on_event(const PodEvent& event) {
  PodRecord& pod = pods_[event.pod];
  if (const auto* line = std::get_if<HarnessLine>(&event.what)) {
    on_line(event.pod, line->line);
  } else if (const auto* subject = std::get_if<SubjectEnded>(&event.what)) {
    limit_now_[event.pod] = subject->limit;
    if (!subject->limit.empty()) pod.limit = subject->limit;
  } else if (const auto* isolation = std::get_if<PodIsolation>(&event.what)) {
    pod.isolation = isolation->isolated ? "isolated" : "not isolated";
    pod.canary = isolation->findings;
  } else if (const auto* end = std::get_if<PodEnded>(&event.what)) {
    pod.starts += end->starts;
    pod.usage.cpu_seconds += end->usage.cpu_seconds;
    pod.usage.wall_seconds += end->usage.wall_seconds;
    pod.usage.gpu_seconds += end->usage.gpu_seconds;
    pod.usage.memory_byte_seconds += end->usage.memory_byte_seconds;
    pod.usage.memory_bytes_peak =
        std::max(pod.usage.memory_bytes_peak, end->usage.memory_bytes_peak);
    pod.failure = end->failure.is_ok() ? "" : end->failure.message();
    pod.log += end->log;
  }
}

// The harness is ours, but its words come from a process that reads hostile lines: nothing here
// trusts their form.
void EvaluationRecord::on_line(std::size_t pod, const std::string& line) {
  try {
    const json event = json::parse(line);
    const std::string name = event.at("event");
    PodRecord& record = pods_[pod];
    if (name == "discovered") {
      discovered_ = names_of(event, "tests");
      if (record.tests == 0) record.tests = discovered_->size();
      changed_ = true;
    } else if (name == "started") {
      current_ = event.at("test");
      inner_ = {};
      changed_ = true;
    } else if (name == "progress") {
      inner_ = {event.at("done"), event.at("total"), event.at("text")};
      changed_ = true;
    } else if (name == "partial" || name == "result") {
      TestRecord test;
      const bool partial = name == "partial";
      test.name = event.at(partial ? "name" : "test");
      test.of = partial ? event.at("test").get<std::string>() : "";
      test.score = number_of(event, "score");
      test.seconds = number_of(event, "seconds").value_or(0);
      test.reason = event.value("reason", "");
      test.metrics = event.contains("metrics") ? event["metrics"].dump() : "{}";
      test.detail = event.value("detail", "");
      test.pod = pod;
      if (!partial) {
        test.outcome = event.at("outcome");
      } else if (event.contains("passed") && event["passed"].is_boolean()) {
        test.outcome = event["passed"].get<bool>() ? "passed" : "failed";
      } else {
        test.outcome = test.score ? "scored" : "error";
      }
      const std::string limit = limit_now_[pod];
      if (event.value("lost", false) && !limit.empty()) {
        test.outcome = "limit";
        test.reason = limit_text(limit);
      }
      add_test(std::move(test));
    } else if (name == "output") {
      OutputFile output{event.at("path"), pod, event.at("content_base64")};
      output_bytes_ += output.content_base64.size();
      output.left_out = output_bytes_ > kOutputBytesMax;
      if (output.left_out) output.content_base64.clear();
      outputs_.push_back(std::move(output));
    } else if (name == "respawn") {
      limit_now_.erase(pod);
    } else if (name == "finished") {
      record.ended = event.at("reason");
      record.text = event.value("text", "");
      record.detail = event.value("detail", "");
      record.not_run = names_of(event, "not_run");
      changed_ = true;
    }
  } catch (const json::exception&) {
    pods_[pod].text = "the harness said something that could not be understood";
  }
}

void EvaluationRecord::add_test(TestRecord test) {
  changed_ = true;
  Streamed* part_of = nullptr;
  if (test.of.empty()) {
    // A test that gave its results one by one is counted by them, unless the whole says something
    // worse.
    finished_.insert(test.name);
    const auto streamed = streamed_.find(test.name);
    if (streamed != streamed_.end()) {
      test.score.reset();
      const bool said_yes = test.outcome == "passed" || test.outcome == "scored";
      if (said_yes || (test.outcome == "failed" && streamed->second.said_no)) return;
    }
  } else {
    part_of = &streamed_[test.of];
    part_of->pod = test.pod;
    part_of->said_no = part_of->said_no || test.outcome == "failed";
  }
  (part_of == nullptr ? whole_ : part_of->tally).add(test);
  if (test.outcome != "passed" && test.outcome != "scored") {
    last_trouble_ = test.outcome + " " + one_line(test.name);
    if (!test.reason.empty()) last_trouble_ += ": " + one_line(test.reason);
  }
  if (tests_.size() >= kTestsKeptMax) {
    ++not_kept_;
    if (part_of != nullptr) ++part_of->not_kept;
    return;
  }
  const auto bytes = [&] { return test.detail.size() + test.metrics.size() + test.reason.size(); };
  if (detail_bytes_ + bytes() > kAllDetailBytesMax) {
    details_dropped_ = true;
    test.detail.clear();
    test.metrics = "{}";
  }
  detail_bytes_ += bytes();
  tests_.push_back(std::move(test));
}

std::optional<ProgressNow> EvaluationRecord::take_progress() {
  if (!changed_) return std::nullopt;
  changed_ = false;
  ProgressNow out = steps();
  // Counts of all so far and the last test that did not pass: progress may be merged on its way,
  // and a reader of any later one still knows.
  std::string counts;
  for (const auto& [outcome, count] : tally().by_outcome) {
    counts += (counts.empty() ? "" : ", ") + std::to_string(count) + " " + outcome;
  }
  out.text = one_line(out.text);
  if (!counts.empty()) out.text.insert(0, counts + "; ");
  if (!last_trouble_.empty()) out.text += "\n" + last_trouble_;
  return out;
}

ProgressNow EvaluationRecord::steps() const {
  ProgressNow out;
  bool known = !pods_.empty();
  for (const auto& [number, pod] : pods_) {
    known = known && pod.tests > 0;
    out.total += pod.tests;
  }
  out.done = finished_.size();
  if (!known) out.total = 0;
  if (out.total <= 1 && inner_.total > 0) {
    // One long test: its own steps are the progress.
    out = inner_;
    if (out.text.empty()) out.text = current_;
    return out;
  }
  const std::uint64_t now = std::min(out.done + 1, std::max<std::uint64_t>(out.total, 1));
  out.text = "test " + std::to_string(now);
  if (out.total > 0) out.text += " of " + std::to_string(out.total);
  if (out.done >= out.total && out.total > 0) {
    out.text = std::to_string(out.done) + " of " + std::to_string(out.total) + " tests";
  } else if (!current_.empty()) {
    out.text += ": " + current_;
  }
  return out;
}

}  // namespace assay::eval
