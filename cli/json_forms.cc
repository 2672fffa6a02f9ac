#include "cli/json_forms.h"

#include <nlohmann/json.hpp>

#include "cli/text/duration.h"
#include "sdk/wire/base64.h"

namespace assay::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& value) {
  // Texts may be anything: what is not UTF-8 is replaced, never refused.
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json moment(const std::optional<Time>& time) {
  return time ? Json(format_utc(*time)) : Json(nullptr);
}

// A result that is JSON is embedded as such; a text as a text; anything else as base 64 under
// another key.
void add_result(Json& form, const std::string& bytes) {
  if (bytes.empty()) {
    form["result"] = nullptr;
    return;
  }
  Json parsed = Json::parse(bytes, nullptr, false);
  if (!parsed.is_discarded()) {
    form["result"] = std::move(parsed);
    return;
  }
  try {
    form["result"] = Json::parse(Json(bytes).dump());  // dump throws on what is not UTF-8
  } catch (const Json::exception&) {
    form["result_base64"] = wire::encode_base64(bytes);
  }
}

Json form_of(const TaskResult& result) {
  Json form = {{"id", result.id.text()},           {"state", to_string(result.state)},
               {"cause", to_string(result.cause)}, {"reason", result.reason},
               {"attempt", result.attempt.number}, {"ended_at", format_utc(result.ended_at)}};
  add_result(form, result.result);
  return form;
}

Json texts(const std::vector<TaskId>& ids) {
  Json list = Json::array();
  for (const TaskId& id : ids) list.push_back(id.text());
  return list;
}

Json form_of(const TaskInfo& task) {
  Json attempts = Json::array();
  for (const AttemptInfo& attempt : task.attempts) {
    attempts.push_back({{"attempt", attempt.attempt.number},
                        {"worker", attempt.worker.value},
                        {"started_at", format_utc(attempt.started_at)},
                        {"ended_at", moment(attempt.ended_at)},
                        {"ended_because", attempt.ended_because}});
  }
  return {{"id", task.id.text()},
          {"queue", task.queue.value},
          {"owner", task.owner.value},
          {"priority", task.priority},
          {"labels", task.labels},
          {"state", to_string(task.state)},
          {"cause", to_string(task.cause)},
          {"reason", task.reason},
          {"submitted_at", format_utc(task.submitted_at)},
          {"ended_at", moment(task.ended_at)},
          {"cancel_requested", task.cancel_requested},
          {"position", task.position},
          {"after", texts(task.after)},
          {"attempts", std::move(attempts)}};
}

}  // namespace

std::string to_json(const TaskResult& result) {
  return dump(form_of(result));
}

std::string to_json(const std::vector<TaskResult>& results) {
  Json list = Json::array();
  for (const TaskResult& result : results) list.push_back(form_of(result));
  return dump({{"results", std::move(list)}});
}

std::string to_json(const TaskInfo& task) {
  return dump(form_of(task));
}

std::string to_json(const std::vector<UsageRow>& usage) {
  Json list = Json::array();
  for (const UsageRow& row : usage) {
    list.push_back({{"key", row.key},
                    {"tasks", row.tasks},
                    {"succeeded", row.succeeded},
                    {"failed", row.failed},
                    {"cpu_seconds", row.usage.cpu_seconds},
                    {"memory_byte_seconds", row.usage.memory_byte_seconds},
                    {"gpu_seconds", row.usage.gpu_seconds},
                    {"wall_seconds", row.usage.wall_seconds}});
  }
  return dump({{"usage", std::move(list)}});
}

std::string to_json(const TaskList& list) {
  Json tasks = Json::array();
  for (const TaskInfo& task : list.tasks) tasks.push_back(form_of(task));
  return dump({{"complete", list.complete}, {"tasks", std::move(tasks)}});
}

std::string key_to_json(const std::string& name, const std::string& public_key,
                        const std::string& key_file, const std::string& public_file) {
  return dump({{"name", name},
               {"public", public_key},
               {"key_file", key_file},
               {"public_file", public_file}});
}

std::string affected_to_json(std::uint64_t tasks) {
  return dump({{"affected", tasks}});
}

std::string to_json(const std::vector<QueueInfo>& queues) {
  Json list = Json::array();
  for (const QueueInfo& queue : queues) {
    list.push_back({{"name", queue.name.value},
                    {"queued", queue.queued},
                    {"running", queue.running},
                    {"waiting", queue.waiting},
                    {"oldest_seconds", queue.oldest_seconds},
                    {"workers", queue.workers},
                    {"capacity", queue.capacity},
                    {"paused", queue.paused}});
  }
  return dump({{"queues", std::move(list)}});
}

std::string to_json(const std::vector<WorkerInfo>& workers) {
  Json list = Json::array();
  for (const WorkerInfo& worker : workers) {
    Json queues = Json::array();
    for (const QueueName& queue : worker.queues) queues.push_back(queue.value);
    list.push_back({{"name", worker.name.value},
                    {"queues", std::move(queues)},
                    {"slots", worker.slots},
                    {"running", worker.running},
                    {"silent_seconds", worker.silent_seconds},
                    {"joined_at", format_utc(worker.joined_at)},
                    {"labels", worker.labels},
                    {"draining", worker.draining}});
  }
  return dump({{"workers", std::move(list)}});
}

std::string to_json(const std::vector<ScheduleInfo>& schedules) {
  Json list = Json::array();
  const auto time = [](const std::optional<Time>& at) {
    return at ? Json(format_utc(*at)) : Json();
  };
  for (const ScheduleInfo& schedule : schedules) {
    const bool has_run = schedule.last_task != TaskId();
    list.push_back({{"name", schedule.name},
                    {"cron", schedule.cron},
                    {"queue", schedule.queue.value},
                    {"next_at", time(schedule.next_at)},
                    {"last_at", time(schedule.last_at)},
                    {"last_task", has_run ? Json(schedule.last_task.text()) : Json()}});
  }
  return dump({{"schedules", std::move(list)}});
}

std::string to_json(const std::vector<QuarantineInfo>& quarantines) {
  Json list = Json::array();
  for (const QuarantineInfo& quarantine : quarantines) {
    list.push_back({{"key", quarantine.key},
                    {"since", format_utc(quarantine.since)},
                    {"losses", quarantine.losses},
                    {"held", quarantine.held},
                    {"reason", quarantine.reason}});
  }
  return dump({{"quarantines", std::move(list)}});
}

std::string to_json(const FeedEvent& event) {
  const bool of_task = event.kind != EventKind::kWorker;
  return dump({{"sequence", event.sequence},
               {"at", format_utc(event.at)},
               {"kind", to_string(event.kind)},
               {"queue", event.queue.value},
               {"task", of_task ? Json(event.task.text()) : Json(nullptr)},
               {"attempt", event.attempt.number},
               {"state", of_task ? Json(to_string(event.state)) : Json(nullptr)},
               {"worker", event.worker.value},
               {"done", event.done},
               {"total", event.total},
               {"text", event.text}});
}

std::string to_json(const Cancelled& cancelled) {
  return dump({{"cancelled", texts(cancelled.cancelled)},
               {"requested", texts(cancelled.requested)},
               {"ended", texts(cancelled.ended)},
               {"unknown", texts(cancelled.unknown)}});
}

std::string to_json(const std::vector<TaskId>& ids) {
  return dump({{"ids", texts(ids)}});
}

std::string to_json(const Status& status) {
  return dump({{"error",
                {{"code", to_string(status.code())},
                 {"reason", status.reason()},
                 {"message", status.message()}}}});
}

std::string to_json(const Endpoints& endpoints, const std::string& directory) {
  return dump({{"ready", true},
               {"clients", endpoints.clients},
               {"workers", endpoints.workers},
               {"feed", endpoints.feed},
               {"http", endpoints.http},
               {"directory", directory}});
}

std::optional<Endpoints> parse_endpoints(const std::string& text) {
  const Json form = Json::parse(text, nullptr, false);
  if (!form.is_object()) return std::nullopt;
  const auto field = [&form](const char* name) {
    const auto found = form.find(name);
    return found != form.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  Endpoints endpoints{field("clients"), field("workers"), field("feed"), field("http")};
  const bool complete =
      !endpoints.clients.empty() && !endpoints.workers.empty() && !endpoints.feed.empty();
  if (!complete) return std::nullopt;
  return endpoints;
}

}  // namespace assay::cli
