// From what the tests said to what the evaluation is: the verdict, and the numbers it rests on.
#include <algorithm>
#include <cstdio>

#include "workers/eval/monitor/record.h"

namespace assay::eval {
namespace {

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

std::string whole_seconds(Duration time) {
  return number(static_cast<double>(time.count()) / 1000) + " s";
}

const PodRecord* first_ended(const EvaluationRecord& record, std::string_view how) {
  for (const auto& [index, pod] : record.pods()) {
    if (pod.ended == how) return &pod;
  }
  return nullptr;
}

std::string subject_of(const Evaluation& evaluation) {
  switch (evaluation.kind) {
    case EvaluationKind::kNotebook:
      return "the notebook";
    case EvaluationKind::kConfig:
      return "the evaluation";
    case EvaluationKind::kImage:
      return "the image";
    case EvaluationKind::kScript:
      break;
  }
  return "the script";
}

Verdict load_failure(const Evaluation& evaluation, const PodRecord& pod) {
  Verdict out{"error", subject_of(evaluation) + " could not be loaded: " + pod.text, Cause::kTask};
  if (pod.limit.empty()) return out;
  out.reason =
      subject_of(evaluation) + " could not be loaded: it reached its limit of " + pod.limit;
  out.cause = Cause::kLimit;
  return out;
}

// "2 of 10 tests failed, 1 timed out"; empty when nothing is wrong.
std::string complaints(const Counts& counts) {
  const std::pair<const char*, const char*> words[] = {
      {"failed", "failed"},   {"error", "raised an error"}, {"timeout", "timed out"},
      {"crashed", "crashed"}, {"limit", "reached a limit"}, {"not_run", "did not run"}};
  std::string out;
  for (const auto& [outcome, word] : words) {
    const auto found = counts.by_outcome.find(outcome);
    if (found == counts.by_outcome.end() || found->second == 0) continue;
    const std::string count = std::to_string(found->second);
    out += out.empty() ? count + " of " + std::to_string(counts.total) + " tests " + word
                       : ", " + count + " " + word;
  }
  return out;
}

const TestRecord* first_bad(const EvaluationRecord& record) {
  for (const TestRecord& test : record.tests()) {
    if (test.outcome != "passed" && test.outcome != "scored") return &test;
  }
  return nullptr;
}

Verdict judge_tests(const Evaluation& evaluation, const EvaluationRecord& record) {
  const Counts counts = count_tests(record);
  if (counts.total == 0) {
    return {"error", "no tests were found in " + evaluation.entry, Cause::kTask};
  }
  const std::string complaint = complaints(counts);
  if (!complaint.empty()) {
    Verdict out{"failed", complaint, Cause::kTask};
    const TestRecord* bad = first_bad(record);
    if (bad != nullptr) {
      out.reason += "; first: " + bad->name + (bad->reason.empty() ? "" : ": " + bad->reason);
      std::replace(out.reason.begin(), out.reason.end(), '\n', ' ');
      if (out.reason.size() > 500) out.reason.resize(500);
    }
    const auto of = [&](const char* outcome) {
      const auto found = counts.by_outcome.find(outcome);
      return found == counts.by_outcome.end() ? 0 : found->second;
    };
    if (of("limit") + of("timeout") > 0 && of("failed") + of("error") + of("crashed") == 0) {
      out.cause = Cause::kLimit;
    }
    return out;
  }
  const auto mean = mean_score(record);
  if (evaluation.pass_threshold && mean.value_or(0) < *evaluation.pass_threshold) {
    return {"failed",
            "the mean score " + number(mean.value_or(0)) + " is below " +
                number(*evaluation.pass_threshold),
            Cause::kTask};
  }
  return {"passed", "", Cause::kNone};
}

}  // namespace

Counts count_tests(const EvaluationRecord& record) {
  Counts out;
  out.by_outcome = record.tally().by_outcome;
  for (const auto& [number, pod] : record.pods()) {
    for (const std::string& name : pod.not_run) {
      if (!record.has_result(name)) ++out.by_outcome["not_run"];
    }
  }
  for (const auto& [outcome, count] : out.by_outcome) out.total += count;
  return out;
}

std::optional<double> mean_score(const EvaluationRecord& record) {
  const Tally tally = record.tally();
  if (tally.scored == 0) return std::nullopt;
  return tally.score_sum / static_cast<double>(tally.scored);
}

Verdict judge(const Evaluation& evaluation, const EvaluationRecord& record, bool cancelled,
              bool out_of_time) {
  if (cancelled) return {"cancelled", "it was cancelled", Cause::kNone};
  if (const PodRecord* pod = first_ended(record, "load_failed")) {
    return load_failure(evaluation, *pod);
  }
  for (const auto& [number, pod] : record.pods()) {
    if (pod.failure.empty() || out_of_time) continue;
    Verdict out{"error", "a pod could not do its work: " + pod.failure, Cause::kInfrastructure};
    out.again = true;
    return out;
  }
  if (out_of_time || first_ended(record, "deadline") != nullptr) {
    return {"timeout",
            "it was not through after its " + whole_seconds(evaluation.timeout) + "; " +
                std::to_string(record.tests().size() + record.not_kept()) + " tests had a result",
            Cause::kLimit};
  }
  if (const PodRecord* pod = first_ended(record, "gave_up")) {
    const bool limit = !pod->limit.empty();
    return {"error",
            subject_of(evaluation) + " was lost too often and given up" +
                (limit ? ", last by its limit of " + pod->limit : ": " + pod->text),
            limit ? Cause::kLimit : Cause::kTask};
  }
  return judge_tests(evaluation, record);
}

}  // namespace assay::eval
