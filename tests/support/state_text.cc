#include "tests/support/state_text.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "broker/core/checkpoint.h"
#include "broker/journal/record_codec.h"

namespace assay::testing {
namespace {

// The lanes of a queue, each with its tasks in order. Which lane comes first is chance.
std::string describe_lanes(const core::State& state, const core::QueueState& queue) {
  std::map<std::string, std::string> lanes;
  queue.queued.for_each(state.tasks(), [&](core::TaskIndex index) {
    const core::Task& task = state.tasks().at(index);
    std::string lane = state.owner(task.owner).value + " " + std::to_string(task.priority);
    for (const auto& [name, value] : state.required_labels(task.require))
      lane.append(" ").append(name).append("=").append(value);
    lanes[lane] += " " + task.id.text();
  });
  std::string text;
  for (const auto& [lane, tasks] : lanes)
    text.append(queue.name.value).append(" ").append(lane).append(":").append(tasks) += '\n';
  return text;
}

}  // namespace

std::string describe_state(const core::State& state,
                           const std::function<std::string(core::Location)>& read) {
  std::vector<std::string> lines;
  std::string text = "ended in this order:";
  const Status status =
      core::write_checkpoint(state, [&](core::Record&& record, core::Location blob) {
        // The numbers of events that are not durable start anew.
        if (auto* begun = std::get_if<core::CheckpointBegun>(&record)) begun->sequence = 0;
        if (auto* queue = std::get_if<core::QueueCarried>(&record)) queue->last_sequence = 0;
        if (auto* task = std::get_if<core::TaskCarried>(&record)) {
          task->sequence = 0;
          if (is_ended(task->state)) text += " " + task->submitted.id.text();
        }
        lines.push_back(journal::describe_record(record) + " blob=" + read(blob));
        return Status::ok();
      });
  ASSAY_ASSERT(status.is_ok());
  text += '\n';
  for (const core::QueueState& queue : state.queues()) text += describe_lanes(state, queue);
  std::sort(lines.begin(), lines.end());
  for (const std::string& line : lines) text += line + '\n';
  return text;
}

std::string difference(const std::string& was, const std::string& gave) {
  if (was == gave) return {};
  const auto [in_was, in_gave] = std::mismatch(was.begin(), was.end(), gave.begin(), gave.end());
  const auto line_at = [](const std::string& text, std::string::const_iterator where) {
    const auto at = static_cast<std::size_t>(where - text.begin());
    const std::size_t begin = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;
    return text.substr(begin, text.find('\n', at) - begin);
  };
  return "was  " + line_at(was, in_was) + "\ngave " + line_at(gave, in_gave);
}

}  // namespace assay::testing
