#include "cli/explain_view.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/task_board.h"
#include "cli/text/duration.h"
#include "cli/text/printable.h"

namespace assay::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kSentenceColumns = 500;
constexpr double kSecondsMax = 1e9;

Line field(std::string title, std::string value) {
  title.resize(11, ' ');
  return {{std::move(title), Ink::kDim}, {std::move(value)}};
}

std::string percent(double share) {
  return std::to_string(static_cast<int>(std::lround(share * 100))) + " %";
}

std::string rough(double seconds) {
  return format_duration(
      Duration(static_cast<std::int64_t>(std::min(seconds, kSecondsMax) * 1000)));
}

std::string estimate_text(const Explanation& task) {
  if (task.estimate_high_seconds < 1) return "at once";
  const std::string high = rough(task.estimate_high_seconds);
  if (task.estimate_low_seconds == task.estimate_high_seconds) return "in " + high;
  if (task.estimate_low_seconds < 1) return "within " + high;
  return "in " + rough(task.estimate_low_seconds) + " to " + high;
}

std::string quota_text(std::uint32_t running, std::uint32_t quota) {
  return std::to_string(running) + (quota == 0 ? " running" : " of " + std::to_string(quota));
}

ordered_json time_json(const std::optional<Time>& time) {
  return time ? ordered_json(format_utc(*time)) : ordered_json();
}

ordered_json id_json(const TaskId& id) {
  return id == TaskId() ? ordered_json() : ordered_json(id.text());
}

}  // namespace

std::vector<Line> explanation_lines(const Explanation& task, Time now) {
  std::vector<Line> lines;
  lines.push_back(field("task", task.id.text()));
  lines.push_back(
      {{"state      ", Ink::kDim}, {std::string(to_string(task.state)), ink_of(task.state)}});
  const char* title = "because";
  for (const std::string& sentence : task.because) {
    lines.push_back(field(title, printable(sentence, kSentenceColumns)));
    title = "";
  }
  if (task.estimated) lines.push_back(field("may start", estimate_text(task)));
  if (task.not_before) {
    lines.push_back(field("not before", format_local_time(*task.not_before) + "  (" +
                                            format_relative(*task.not_before, now) + ")"));
  }
  if (is_ended(task.state)) return lines;
  const std::string workers = std::to_string(task.workers) + " connected, " +
                              std::to_string(task.able_workers) + " able to take it, " +
                              std::to_string(task.free_credit) + " free slots";
  lines.push_back(field("workers", workers));
  if (task.position > 0) {
    lines.push_back(
        field("position", std::to_string(task.position) + " of " + std::to_string(task.queued)));
  }
  lines.push_back(field("owner", printable(task.owner.value, 64) + ": deserves " +
                                     percent(task.share_deserved) + " of " +
                                     printable(task.queue.value, 64) + ", uses " +
                                     percent(task.share_used)));
  lines.push_back(field("", quota_text(task.running_here, task.quota_here) + " in this queue, " +
                                quota_text(task.running, task.quota) + " over all queues"));
  return lines;
}

std::string to_json(const Explanation& task) {
  ordered_json waits_for = ordered_json::array();
  for (const DependencyInfo& dependency : task.waits_for) {
    waits_for.push_back(
        {{"id", dependency.id.text()}, {"state", std::string(to_string(dependency.state))}});
  }
  const ordered_json document = {
      {"id", task.id.text()},
      {"queue", task.queue.value},
      {"owner", task.owner.value},
      {"state", std::string(to_string(task.state))},
      {"because", task.because},
      {"position", task.position},
      {"queued", task.queued},
      {"share_deserved", task.share_deserved},
      {"share_used", task.share_used},
      {"quota_here", task.quota_here},
      {"running_here", task.running_here},
      {"quota", task.quota},
      {"running", task.running},
      {"workers", task.workers},
      {"able_workers", task.able_workers},
      {"free_credit", task.free_credit},
      {"missing_labels", task.missing_labels},
      {"waits_for", std::move(waits_for)},
      {"not_before", time_json(task.not_before)},
      {"grace_until", time_json(task.grace_until)},
      {"paused", task.paused},
      {"quarantined", task.quarantined},
      {"shares_run_of", id_json(task.shares_run_of)},
      {"worker", task.worker.value},
      {"worker_says", task.worker_says},
      {"estimate_low_seconds",
       task.estimated ? ordered_json(task.estimate_low_seconds) : ordered_json()},
      {"estimate_high_seconds",
       task.estimated ? ordered_json(task.estimate_high_seconds) : ordered_json()}};
  return document.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace assay::cli
