#include "workers/report/gather.h"

#include <algorithm>
#include <map>
#include <set>

#include "workers/report/run_reader.h"

namespace assay::report {
namespace {

constexpr std::uint32_t kListMax = 1000;

const std::vector<TaskState> kEnded{TaskState::kSucceeded, TaskState::kFailed, TaskState::kDead,
                                    TaskState::kCancelled};

void add_facts(const TaskInfo& info, Run& run) {
  run.known = true;
  run.state = info.state;
  if (info.cause != Cause::kNone) run.cause = info.cause;
  run.queue = info.queue.value;
  run.owner = info.owner.value;
  run.labels = info.labels;
  run.submitted_at = info.submitted_at;
  if (!info.attempts.empty()) run.started_at = info.attempts.front().started_at;
  run.ended_at = info.ended_at;
  run.attempts = info.attempts.size();
  if (run.reason.empty()) run.reason = info.reason;
  if (run.name.empty()) {
    const auto name = info.labels.find("name");
    if (name != info.labels.end()) run.name = name->second;
  }
}

Run run_of(const TaskId& id, TaskState state, const std::string& result) {
  Run run;
  run.id = id;
  run.state = state;
  read_document(result, run);
  return run;
}

Run run_of(const TaskResult& result) {
  Run run = run_of(result.id, result.state, result.result);
  run.cause = result.cause == Cause::kNone ? run.cause : result.cause;
  if (run.reason.empty()) run.reason = result.reason;
  return run;
}

bool matches(const TaskInfo& info, const Query& query) {
  return std::all_of(query.labels.begin(), query.labels.end(), [&](const auto& wanted) {
    const auto found = info.labels.find(wanted.first);
    return found != info.labels.end() && found->second == wanted.second;
  });
}

// Each with its facts; results that the broker no longer has are left out.
Result<std::vector<Run>> load(const std::vector<TaskInfo>& tasks, TaskSource& source) {
  std::vector<Run> runs;
  for (const TaskInfo& info : tasks) {
    const Result<std::vector<TaskResult>> results = source.results(std::span(&info.id, 1));
    if (!results.is_ok() && results.status().code() != Code::kNotFound) return results.status();
    Run run = results.is_ok() && !results->empty() ? run_of(results->front())
                                                   : run_of(info.id, info.state, "");
    add_facts(info, run);
    runs.push_back(std::move(run));
  }
  return runs;
}

Result<std::vector<Run>> queried(const Query& query, TaskSource& source, Time now) {
  ListRequest request;
  request.states = kEnded;
  request.queue = QueueName(query.queue);
  request.owner = OwnerName(query.owner);
  if (query.since) request.since = now - *query.since;
  request.limit = query.labels.empty() ? query.limit : kListMax;
  Result<std::vector<TaskInfo>> tasks = source.list(std::move(request));
  if (!tasks.is_ok()) return tasks.status();
  std::erase_if(*tasks, [&](const TaskInfo& info) { return !matches(info, query); });
  if (tasks->size() > query.limit) tasks->resize(query.limit);
  return load(*tasks, source);
}

std::vector<Run> inputs_of(const TaskAssignment& task, TaskSource* source, Gathered& out) {
  std::vector<Run> runs;
  for (const TaskInput& input : task.inputs) {
    Run run = run_of(input.id, input.state, input.result);
    if (source != nullptr) {
      const Result<TaskInfo> info = source->status(input.id);
      if (info.is_ok()) {
        add_facts(*info, run);
      } else if (out.notes.empty()) {
        out.notes.push_back("times and labels could not be had: " + info.status().message());
      }
    }
    runs.push_back(std::move(run));
  }
  return runs;
}

// Of each name the newest that ended before the runs were submitted.
Result<std::vector<Run>> last_before(const std::vector<Run>& runs, TaskSource& source) {
  std::set<std::string> wanted;
  std::set<TaskId> own;
  ListRequest request;
  request.states = kEnded;
  request.limit = kListMax;
  std::optional<Time> first;
  for (const Run& run : runs) {
    if (!run.name.empty()) wanted.insert(run.name);
    own.insert(run.id);
    if (run.submitted_at && (!first || *run.submitted_at < *first)) first = run.submitted_at;
    if (!run.queue.empty()) request.queue = QueueName(run.queue);
  }
  const Result<std::vector<TaskInfo>> tasks = source.list(std::move(request));
  if (!tasks.is_ok()) return tasks.status();
  std::vector<TaskInfo> chosen;
  std::set<std::string> taken;
  for (const TaskInfo& info : *tasks) {  // the newest first
    const auto name = info.labels.find("name");
    if (name == info.labels.end() || !wanted.contains(name->second)) continue;
    if (own.contains(info.id) || (first && info.submitted_at >= *first)) continue;
    if (info.state != TaskState::kSucceeded && info.state != TaskState::kFailed) continue;
    if (taken.insert(name->second).second) chosen.push_back(info);
  }
  return load(chosen, source);
}

Result<std::vector<Run>> named_baseline(const Request& request, TaskSource& source) {
  std::vector<TaskInfo> tasks;
  for (const TaskId& id : request.baseline) {
    const Result<TaskInfo> info = source.status(id);
    if (!info.is_ok()) return info.status();
    tasks.push_back(*info);
  }
  return load(tasks, source);
}

}  // namespace

Result<Gathered> gather(const Request& request, const TaskAssignment& task, TaskSource* source,
                        Time now) {
  Gathered out;
  const bool wants_baseline = request.baseline_last || !request.baseline.empty();
  if (source == nullptr && (request.query || wants_baseline)) {
    return fix_input("broker_needed",
                     "a query or a baseline asks the broker; set `clients` of this "
                     "worker to the broker's socket for clients");
  }
  if (request.query) {
    Result<std::vector<Run>> runs = queried(*request.query, *source, now);
    if (!runs.is_ok()) return runs.status();
    out.runs = std::move(*runs);
  } else {
    out.runs = inputs_of(task, source, out);
  }
  if (out.runs.empty()) {
    return fix_input("nothing_to_report", request.query
                                              ? "no ended task matches the query"
                                              : "this task comes after no other and has no query");
  }
  if (!wants_baseline) return out;
  Result<std::vector<Run>> baseline =
      request.baseline_last ? last_before(out.runs, *source) : named_baseline(request, *source);
  if (!baseline.is_ok()) return baseline.status();
  out.baseline = std::move(*baseline);
  if (out.baseline.empty()) out.notes.push_back("there is no earlier run to compare with");
  return out;
}

}  // namespace assay::report
