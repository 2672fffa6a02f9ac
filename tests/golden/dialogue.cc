#include "tests/golden/dialogue.h"

#include <algorithm>
#include <sstream>

#include "broker/core/invariants.h"

namespace assay::golden {

std::string Command::get(const std::string& key, const std::string& otherwise) const {
  const auto found = values.find(key);
  return found == values.end() ? otherwise : found->second;
}

std::uint64_t Command::number(const std::string& key, std::uint64_t otherwise) const {
  const std::string text = get(key);
  return text.empty() ? otherwise : std::stoull(text);
}

std::vector<std::string> Command::all(const std::string& key) const {
  std::vector<std::string> found;
  const auto [from, to] = values.equal_range(key);
  for (auto value = from; value != to; ++value) found.push_back(value->second);
  return found;
}

Command parse_command(const std::string& line) {
  std::istringstream words(line);
  Command command;
  words >> command.verb;
  for (std::string word; words >> word;) {
    const auto equals = word.find('=');
    if (equals == std::string::npos) {
      command.peer = word;
    } else {
      command.values.emplace(word.substr(0, equals), word.substr(equals + 1));
    }
  }
  return command;
}

TaskId task_id(std::uint64_t number) {
  TaskId id;
  for (std::size_t i = 16; i-- > 8; number >>= 8) id.bytes[i] = static_cast<std::uint8_t>(number);
  return id;
}

Time start_of_dialogue() {
  return Time(std::chrono::hours(24 * 365));
}

namespace {

HeldAttempt parse_held(const std::string& text) {  // "1@2": task 1, attempt 2
  const auto at = text.find('@');
  return {
      task_id(std::stoull(text)),
      {static_cast<std::uint32_t>(at == std::string::npos ? 1 : std::stoul(text.substr(at + 1)))}};
}

std::vector<HeldAttempt> parse_holding(const Command& command) {
  std::vector<HeldAttempt> holding;
  for (const std::string& text : command.all("holding")) holding.push_back(parse_held(text));
  return holding;
}

std::vector<TaskId> parse_ids(const Command& command) {
  std::vector<TaskId> ids;
  for (const std::string& text : command.all("task")) ids.push_back(task_id(std::stoull(text)));
  return ids;
}

// A hash is written as its first digits; the rest are zeros.
std::vector<std::string> parse_artifacts(const Command& command) {
  std::vector<std::string> hashes;
  for (std::string hash : command.all("artifact")) {
    hash.resize(64, '0');
    hashes.push_back(std::move(hash));
  }
  return hashes;
}

Outcome parse_outcome(const std::string& text) {
  for (const auto outcome : {Outcome::kSucceeded, Outcome::kFailed, Outcome::kRetry,
                             Outcome::kCancelled, Outcome::kSnooze, Outcome::kHandOver}) {
    if (to_string(outcome) == text) return outcome;
  }
  return Outcome::kSucceeded;
}

Cause parse_cause(const std::string& text) {
  for (const auto cause : {Cause::kTask, Cause::kInfrastructure, Cause::kLimit, Cause::kSafety}) {
    if (to_string(cause) == text) return cause;
  }
  return Cause::kNone;
}

Submit parse_submit(const Command& command) {
  Submit submit{.request = command.number("request", 1), .tasks = {}};
  for (const TaskId& id : parse_ids(command)) {
    TaskSpec task;
    task.id = id;
    task.queue = QueueName(command.get("queue", "eval"));
    task.owner = OwnerName(command.get("owner", "ann"));
    task.priority = static_cast<std::uint8_t>(command.number("priority", 5));
    task.max_attempts = static_cast<std::uint32_t>(command.number("max_attempts", 1));
    task.body = command.get("body", "body");
    task.cost = static_cast<std::uint32_t>(command.number("cost", 1));
    task.on_failure = command.get("on_failure") == "run" ? OnFailure::kRun : OnFailure::kCancel;
    task.timeout = std::chrono::seconds(command.number("timeout", 0));
    if (!command.get("not_before").empty()) {
      task.not_before = start_of_dialogue() + std::chrono::seconds(command.number("not_before", 0));
    }
    if (!command.get("deadline").empty()) {
      task.deadline = start_of_dialogue() + std::chrono::seconds(command.number("deadline", 0));
    }
    for (const std::string& other : command.all("after")) {
      task.after.push_back(task_id(std::stoull(other)));
    }
    for (const std::string& gpu : command.all("gpu")) task.require["gpu"] = gpu;
    for (const std::string& image : command.all("image")) task.labels["image_digest"] = image;
    task.cache_key = command.get("cache_key");
    task.cache_ttl = std::chrono::seconds(command.number("cache_ttl", 0));
    task.traceparent = command.get("traceparent");
    task.artifacts = parse_artifacts(command);
    submit.tasks.push_back(std::move(task));
  }
  return submit;
}

Report parse_report(const Command& command) {
  Report report;
  for (const std::string& text : command.all("task")) {
    const HeldAttempt which = parse_held(text);
    report.reports.push_back({.id = which.id,
                              .attempt = which.attempt,
                              .outcome = parse_outcome(command.get("outcome", "succeeded")),
                              .cause = parse_cause(command.get("cause")),
                              .reason = command.get("reason"),
                              .delay = std::chrono::seconds(command.number("delay", 0)),
                              .result = command.get("result", "result"),
                              .artifacts = parse_artifacts(command)});
  }
  return report;
}

}  // namespace

Dialogue::Dialogue()
    : core_(std::make_unique<core::BrokerCore>(options_)), now_(start_of_dialogue()) {
  core::Effects effects;
  std::string wrong;
  core_->start(now_, {QueueName("eval"), QueueName("build")}, effects);
  settle(effects, wrong);
}

core::PeerId Dialogue::peer_of(const std::string& name) {
  const auto [found, is_new] = peer_ids_.emplace(name, core::PeerId{peers_ + 1});
  if (is_new) {
    ++peers_;
    peer_names_[found->second] = name;
  }
  return found->second;
}

Message Dialogue::message_of(const Command& command, core::Door& door, std::string& wrong) {
  const std::uint64_t request = command.number("request", 1);
  const std::string& verb = command.verb;
  door = core::Door::kClients;
  if (verb == "client")
    return ClientHello{.version_max = static_cast<std::uint8_t>(command.number("version", 1)),
                       .name = command.peer};
  if (verb == "submit") return parse_submit(command);
  if (verb == "await")
    return Await{request, parse_ids(command), command.get("follow", "yes") == "yes"};
  if (verb == "cancel") {
    return Cancel{request, parse_ids(command), command.get("reason"),
                  command.get("with_dependents") == "yes"};
  }
  if (verb == "status")
    return StatusRequest{request, command.get("id", task_id(command.number("task", 0)).text())};
  if (verb == "explain")
    return ExplainRequest{request, command.get("id", task_id(command.number("task", 0)).text())};
  if (verb == "references") return ReferencesRequest{request, parse_artifacts(command)};
  if (verb == "queues") return QueuesRequest{request};
  if (verb == "schedules") return SchedulesRequest{request};
  if (verb == "workers") return WorkersRequest{request};
  if (verb == "quarantines") return QuarantinesRequest{request};
  if (verb == "events")
    return EventsRequest{request, command.number("after", 0), parse_ids(command), 1000};
  if (verb == "snapshot")
    return SnapshotRequest{.request = request,
                           .queue = QueueName(command.get("queue")),
                           .tasks = parse_ids(command),
                           .limit = static_cast<std::uint32_t>(command.number("limit", 1000))};
  if (verb == "client_goodbye") return Goodbye{};
  if (verb == "list")
    return ListRequest{.request = request, .queue = QueueName(command.get("queue"))};
  for (const auto operation :
       {Operation::kPauseQueue, Operation::kResumeQueue, Operation::kPurgeQueue,
        Operation::kDrainWorker, Operation::kRetryDead, Operation::kDropDead,
        Operation::kReleaseQuarantine, Operation::kPin, Operation::kUnpin}) {
    if (verb == to_string(operation)) {
      return Operate{request, operation, command.get("target"), parse_ids(command)};
    }
  }
  door = core::Door::kWorkers;
  if (verb == "worker") {
    WorkerHello hello;
    hello.version_max = static_cast<std::uint8_t>(command.number("version", 1));
    hello.name = WorkerName(command.get("name", command.peer));
    for (const std::string& queue : command.all("queue")) hello.queues.emplace_back(queue);
    hello.slots = static_cast<std::uint32_t>(command.number("slots", 1));
    hello.holding = parse_holding(command);
    for (const std::string& gpu : command.all("gpu")) hello.labels["gpu"] = gpu;
    return hello;
  }
  if (verb == "heartbeat") {
    return Heartbeat{static_cast<std::uint32_t>(command.number("slots", 1)),
                     parse_holding(command)};
  }
  if (verb == "report") return parse_report(command);
  if (verb == "progress") {
    const HeldAttempt which = parse_held(command.get("task"));
    return Progress{{{.id = which.id,
                      .attempt = which.attempt,
                      .kind = EventKind::kProgress,
                      .done = command.number("done", 0),
                      .total = command.number("total", 0),
                      .text = command.get("text")}}};
  }
  if (verb == "goodbye") return Goodbye{};
  wrong = "unknown command '" + verb + "'";
  return Goodbye{};
}

std::string Dialogue::run(const std::string& line, std::string& wrong) {
  const Command command = parse_command(line);
  core::Effects effects;
  if (command.verb == "advance") {
    now_ += Duration(static_cast<std::int64_t>(std::stod(command.peer) * 1000));
  } else if (command.verb == "restart") {
    now_ += std::chrono::seconds(command.number("down", 0));
    return restart(effects, wrong);
  } else if (command.verb == "schedule" || command.verb == "unschedule") {
    set_schedule(command, wrong);
    core_->set_rules(options_, now_, effects);
  } else if (command.verb == "wall") {
    wall_ahead_ = std::chrono::seconds(std::stoll(command.get("ahead", "0")));
  } else if (command.verb == "quota") {
    options_.owners[OwnerName(command.peer)].running_cost_max =
        static_cast<std::uint32_t>(command.number("running", 0));
    core_->set_rules(options_, now_, effects);
  } else if (command.verb == "weight") {
    options_.owners[OwnerName(command.peer)].weight =
        static_cast<std::uint32_t>(command.number("weight", 1));
    core_->set_rules(options_, now_, effects);
  } else if (command.verb == "tasks_max") {
    options_.owners[OwnerName(command.peer)].tasks_max = command.number("tasks", 0);
    core_->set_rules(options_, now_, effects);
  } else if (command.verb == "queue_bytes_max") {
    options_.queue_bytes_max = std::stoul(command.peer);
    core_->set_rules(options_, now_, effects);
  } else if (command.verb == "client_tasks_max") {
    options_.client_tasks_max = std::stoul(command.peer);
    core_->set_rules(options_, now_, effects);
  } else if (command.verb == "quarantine_losses") {
    options_.quarantine_losses = static_cast<std::uint32_t>(std::stoul(command.peer));
    core_->set_rules(options_, now_, effects);
  } else if (command.verb == "show_feed") {
    show_feed_ = true;
  } else if (command.verb == "refuse_new" || command.verb == "take_new") {
    core_->set_accepting(command.verb == "take_new");
  } else if (command.verb == "gone") {
    core_->step({now_, core::PeerGone{peer_of(command.peer)}}, effects);
  } else {
    core::Door door{};
    Message message = message_of(command, door, wrong);
    if (!wrong.empty()) return {};
    core_->step({now_, core::FromPeer{peer_of(command.peer), door, std::move(message)}}, effects);
  }
  core_->step({now_, core::Tick{.wall = now_ + wall_ahead_}}, effects);
  return settle(effects, wrong);
}

void Dialogue::set_schedule(const Command& command, std::string& wrong) {
  options_.schedules.erase(command.peer);
  if (command.verb == "unschedule") return;
  core::Schedule schedule;
  schedule.line = command.get("line");
  std::replace(schedule.line.begin(), schedule.line.end(), '_', ' ');
  auto cron = core::Cron::parse(schedule.line);
  if (!cron.is_ok()) {
    wrong = cron.status().to_string();
    return;
  }
  schedule.cron = *cron;
  schedule.task.queue = QueueName(command.get("queue", "eval"));
  schedule.task.owner = OwnerName("clock");
  schedule.task.body = command.get("body", "body");
  options_.schedules[command.peer] = std::move(schedule);
}

// A crash after everything so far was flushed: another core, from the records alone.
std::string Dialogue::restart(core::Effects& effects, std::string& wrong) {
  core_ = std::make_unique<core::BrokerCore>(options_);
  for (const auto& [record, blob] : journal_) {
    Status status = core_->recover(record, blob);
    if (!status.is_ok()) wrong = status.to_string();
  }
  core_->start(now_, {QueueName("eval"), QueueName("build")}, effects);
  return settle(effects, wrong);
}

std::string Dialogue::settle(core::Effects& effects, std::string& wrong) {
  std::string output;
  for (const core::Append& append : effects.append) {
    output += print(append) + "\n";
    const core::Location blob{.segment = append.blob.empty() ? 0U : 1U,
                              .offset = static_cast<std::uint32_t>(journal_.size()),
                              .length = static_cast<std::uint32_t>(append.blob.size())};
    // A copy of another task's: its bytes are not kept here, only where they lie.
    const core::Location place =
        append.blob_of == core::kNoTask ? blob : core_->state().tasks().at(append.blob_of).blob;
    journal_.emplace_back(append.record, place);
    if (place.length > 0) core_->on_stored(append, place);
  }
  for (const core::Outbound& outbound : effects.send) {
    output += print(peer_names_[outbound.to], outbound.message) + "\n";
  }
  core_->on_turn_over();
  if (show_feed_) {
    for (const FeedEvent& event : effects.publish) output += print(event) + "\n";
  }
  for (const std::string& sentence : core::check_now(*core_)) wrong += sentence + "\n";
  return output;
}

}  // namespace assay::golden
