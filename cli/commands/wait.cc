// assay wait: until tasks have ended.
#include <algorithm>
#include <map>
#include <optional>

#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/follow.h"
#include "cli/interrupts.h"
#include "cli/json_forms.h"
#include "cli/result_document.h"
#include "cli/result_view.h"

namespace assay::cli {
namespace {

using std::chrono::steady_clock;

constexpr Duration kSlice{10'000};         // of a wait without end
constexpr std::size_t kFollowedMax = 200;  // with live lines; more are only waited for
constexpr Duration kAwayMax{60'000};       // a broker that restarts is waited for

Status wait_timeout(std::size_t pending) {
  return retry_later("wait_timeout", std::to_string(pending) +
                                         (pending == 1 ? " task has" : " tasks have") +
                                         " not ended yet; the wait is over, the work goes on");
}

ExitCode code_of(const TaskResult& result) {
  const auto document = parse_result_document(result.result);
  return exit_code(result.state, document ? document->status : "");
}

// What to wait at most before asking again, or nothing when the time is over.
std::optional<Duration> slice(const WaitOptions& options, steady_clock::time_point began) {
  if (!options.timeout) return kSlice;
  const auto left = *options.timeout - std::chrono::floor<Duration>(steady_clock::now() - began);
  if (left <= Duration(0)) return std::nullopt;
  return std::min(left, kSlice);
}

// Calls `on_end` for each task as it ends.
template <typename OnEnd>
Status wait_for(Client& client, const WaitOptions& options, std::vector<TaskId> pending,
                OnEnd on_end) {
  const auto began = steady_clock::now();
  auto heard = began;
  while (!pending.empty()) {
    const auto at_most = slice(options, began);
    if (!at_most) return wait_timeout(pending.size());
    const Result<std::vector<TaskResult>> ended = client.wait_any(pending, *at_most);
    if (!ended.is_ok()) {
      const bool away = ended.status().code() == Code::kRetryCall;
      if (!away && ended.status().reason() != "wait_timeout") return ended.status();
      if (!away) heard = steady_clock::now();
      if (steady_clock::now() - heard > kAwayMax) return ended.status();
      continue;
    }
    heard = steady_clock::now();
    for (const TaskResult& result : *ended) {
      on_end(result);
      std::erase(pending, result.id);
    }
  }
  return Status::ok();
}

ExitCode wait_live(Client& client, const WaitOptions& options, const GlobalOptions& global,
                   const std::vector<TaskId>& ids, Console& console) {
  Interrupts interrupts;
  Subscriber events = subscribe(global, ids);
  FollowOptions following{.tasks = {}, .quiet = false, .timeout = options.timeout};
  for (const TaskId& id : ids) {
    const Result<TaskInfo> task = client.status(id.text());
    if (!task.is_ok()) return report(console, global, task.status());
    following.tasks.push_back({id, {}, *task});
  }
  const Result<Followed> followed = follow(client, events, interrupts, console, following);
  if (!followed.is_ok()) return report(console, global, followed.status());
  ExitCode code = ExitCode::kOk;
  for (const TaskResult& result : followed->ended) {
    code = worst(code, code_of(result));
    if (ids.size() == 1) console.print(ended_line(result));
  }
  if (followed->pending == 0) return code;
  return followed->detached ? ExitCode::kError
                            : worst(code, report(console, global, wait_timeout(followed->pending)));
}

}  // namespace

ExitCode run(const WaitOptions& options, const GlobalOptions& global, Console& console) {
  const bool lines = !console.live();  // live ones tell of it in their place
  Result<Client> client = connect(global, [&console, lines](std::string_view line) {
    if (lines) console.error(line);
  });
  if (!client.is_ok()) return report(console, global, client.status());
  Result<std::vector<TaskId>> ids = resolve(*client, options.ids);
  if (!ids.is_ok()) return report(console, global, ids.status());
  std::sort(ids->begin(), ids->end());
  ids->erase(std::unique(ids->begin(), ids->end()), ids->end());
  if (console.live() && !global.json && ids->size() <= kFollowedMax) {
    return wait_live(*client, options, global, *ids, console);
  }
  ExitCode code = ExitCode::kOk;
  std::vector<TaskResult> results;
  const Status status = wait_for(*client, options, *ids, [&](const TaskResult& result) {
    code = worst(code, code_of(result));
    if (global.json) {
      results.push_back(result);
    } else {
      console.print(ended_line(result));
      console.flush();
    }
  });
  if (!status.is_ok()) return worst(code, report(console, global, status));
  if (global.json) console.print(to_json(results));
  return code;
}

}  // namespace assay::cli
