// How records, messages and events look in a dialogue: the fields that matter, in one line.
#include <sstream>

#include "tests/golden/dialogue.h"

namespace assay::golden {
namespace {

std::uint64_t number_of(const TaskId& id) {
  std::uint64_t number = 0;
  for (std::size_t i = 8; i < 16; ++i) number = number << 8 | id.bytes[i];
  return number;
}

std::string text(const TaskId& id) {
  return std::to_string(number_of(id));
}
std::string text(const HeldAttempt& held) {
  return text(held.id) + "@" + std::to_string(held.attempt.number);
}
std::string seconds(Time at) {
  std::ostringstream out;
  out << std::chrono::duration<double>(at - start_of_dialogue()).count() << "s";
  return out.str();
}
template <typename List>
std::string list(const std::string& name, const List& items) {
  std::string out;
  for (const auto& item : items) out += " " + name + "=" + text(item);
  return out;
}
std::string quoted(const std::string& name, const std::string& value) {
  return value.empty() ? "" : " " + name + "=\"" + value + "\"";
}

struct PrintRecord {
  std::string operator()(const core::BrokerStarted&) const { return "BrokerStarted"; }
  std::string operator()(const core::QueueCreated& r) const {
    return "QueueCreated queue=" + r.queue.value;
  }
  std::string operator()(const core::TaskSubmitted& r) const {
    return "TaskSubmitted task=" + text(r.id) + " queue=" + r.queue.value +
           " priority=" + std::to_string(r.priority) +
           (r.follows == TaskId() ? "" : " follows=" + text(r.follows));
  }
  std::string operator()(const core::TaskLeased& r) const {
    return "TaskLeased task=" + text(r.id) + " attempt=" + std::to_string(r.attempt.number) +
           " worker=" + r.worker.value;
  }
  std::string operator()(const core::AttemptEnded& r) const {
    return "AttemptEnded task=" + text(r.id) + " attempt=" + std::to_string(r.attempt.number) +
           " cause=" + std::string(to_string(r.cause)) + (r.counts_as_loss ? " loss" : "") +
           (r.counts_as_attempt ? " counted" : "") + (r.handed_over ? " handed_over" : "") +
           (r.ready_at > r.at ? " ready_at=" + seconds(r.ready_at) : "") +
           quoted("because", r.because);
  }
  std::string operator()(const core::TaskReady& r) const { return "TaskReady task=" + text(r.id); }
  std::string operator()(const core::CancelRequested& r) const {
    return "CancelRequested task=" + text(r.id) + quoted("reason", r.reason);
  }
  std::string operator()(const core::QueuePaused& r) const {
    return "QueuePaused queue=" + r.queue.value + (r.paused ? " paused" : " resumed");
  }
  std::string operator()(const core::TaskRevived& r) const {
    return "TaskRevived task=" + text(r.id);
  }
  std::string operator()(const core::TaskForgotten& r) const {
    return "TaskForgotten task=" + text(r.id);
  }
  std::string operator()(const core::EndedForgotten& r) const {
    return "EndedForgotten count=" + std::to_string(r.count);
  }
  // A checkpoint's records never leave the core by a step.
  std::string operator()(const core::CheckpointBegun&) const { return "CheckpointBegun"; }
  std::string operator()(const core::TaskCarried&) const { return "TaskCarried"; }
  std::string operator()(const core::DependentsCarried&) const { return "DependentsCarried"; }
  std::string operator()(const core::RunCarried&) const { return "RunCarried"; }
  std::string operator()(const core::QueueCarried&) const { return "QueueCarried"; }
  std::string operator()(const core::ScheduleSet& r) const {
    return "ScheduleSet " + r.name + quoted("line", r.state.line) +
           " settled=" + seconds(r.state.settled);
  }
  std::string operator()(const core::ScheduleFired& r) const {
    return "ScheduleFired " + r.name + " due=" + seconds(r.due);
  }
  std::string operator()(const core::ScheduleRemoved& r) const {
    return "ScheduleRemoved " + r.name;
  }
  std::string operator()(const core::TaskHeld& r) const {
    return "TaskHeld task=" + text(r.id) + " key=" + r.key;
  }
  std::string operator()(const core::Quarantined& r) const {
    return "Quarantined key=" + r.key + " losses=" + std::to_string(r.losses) +
           quoted("reason", r.reason);
  }
  std::string operator()(const core::QuarantineReleased& r) const {
    return "QuarantineReleased key=" + r.key;
  }
  std::string operator()(const core::TaskPinned& r) const {
    return "TaskPinned task=" + text(r.id) + (r.pinned ? " pinned" : " unpinned");
  }
  std::string operator()(const core::TaskEnded& r) const {
    return "TaskEnded task=" + text(r.id) + " attempt=" + std::to_string(r.attempt.number) + " " +
           std::string(to_string(r.state)) + " cause=" + std::string(to_string(r.cause)) +
           (r.cached_from == TaskId() ? "" : " cached_from=" + text(r.cached_from)) +
           quoted("reason", r.reason);
  }
};

struct PrintMessage {
  std::string operator()(const Welcome& m) const { return list("drop", m.drop); }
  std::string operator()(const Error& m) const {
    return " request=" + std::to_string(m.request) + " " + std::string(to_string(m.code)) + " " +
           m.reason +
           (m.retry_after.count() > 0 ? " retry_after_ms=" + std::to_string(m.retry_after.count())
                                      : "") +
           quoted("message", m.message);
  }
  std::string operator()(const Submitted& m) const {
    return " request=" + std::to_string(m.request) + " accepted=" + std::to_string(m.accepted) +
           list("duplicate", m.duplicates);
  }
  std::string operator()(const Results& m) const {
    std::string out = " request=" + std::to_string(m.request);
    for (const TaskResult& r : m.results) {
      out += " task=" + text(r.id) + "@" + std::to_string(r.attempt.number) + ":" +
             std::string(to_string(r.state)) + quoted("reason", r.reason) +
             (r.cached_from == TaskId() ? "" : " cached_from=" + text(r.cached_from)) +
             (r.usage.cpu_seconds > 0
                  ? " cpu_seconds=" + std::to_string(static_cast<int>(r.usage.cpu_seconds))
                  : "");
    }
    return out + list("pending", m.pending) + list("unknown", m.unknown);
  }
  std::string operator()(const Cancelled& m) const {
    return " request=" + std::to_string(m.request) + list("cancelled", m.cancelled) +
           list("requested", m.requested) + list("ended", m.ended) + list("unknown", m.unknown);
  }
  std::string operator()(const TaskStatus& m) const {
    std::string out = " task=" + text(m.task.id) + " " + std::string(to_string(m.task.state)) +
                      " position=" + std::to_string(m.task.position) +
                      quoted("reason", m.task.reason);
    for (const AttemptInfo& attempt : m.task.attempts) {
      out += " attempt=" + std::to_string(attempt.attempt.number) + ":" + attempt.worker.value +
             ":" + seconds(attempt.started_at) +
             (attempt.cause == Cause::kNone ? "" : ":" + std::string(to_string(attempt.cause))) +
             quoted("ended", attempt.ended_because);
    }
    return out;
  }
  std::string operator()(const QueueList& m) const {
    std::string out;
    for (const QueueInfo& q : m.queues) {
      out += " " + q.name.value + ":queued=" + std::to_string(q.queued) +
             ",running=" + std::to_string(q.running) + ",waiting=" + std::to_string(q.waiting) +
             ",workers=" + std::to_string(q.workers) + ",capacity=" + std::to_string(q.capacity) +
             (q.paused ? ",paused" : "");
    }
    return out;
  }
  std::string operator()(const ScheduleList& m) const {
    std::string out;
    for (const ScheduleInfo& schedule : m.schedules) {
      out += " " + schedule.name + quoted("cron", schedule.cron) + " " + schedule.queue.value;
      if (schedule.next_at) out += " next=" + seconds(*schedule.next_at);
      if (schedule.last_at) out += " last=" + seconds(*schedule.last_at);
    }
    return out;
  }
  std::string operator()(const WorkerList& m) const {
    std::string out;
    for (const WorkerInfo& w : m.workers) {
      out += " " + w.name.value + ":running=" + std::to_string(w.running) + "/" +
             std::to_string(w.slots) + (w.draining ? ":draining" : "");
    }
    return out;
  }
  std::string operator()(const EventList& m) const {
    std::string out = std::string(m.complete ? " complete" : " partial");
    for (const FeedEvent& event : m.events) out += "\n  " + print(event);
    return out;
  }
  std::string operator()(const Snapshot& m) const {
    std::string out = std::string(m.complete ? " complete" : " partial");
    for (const FeedEvent& event : m.events) out += "\n  " + print(event);
    return out;
  }
  std::string operator()(const Tasks& m) const {
    std::string out;
    for (const TaskAssignment& t : m.tasks) {
      out += " task=" + text(HeldAttempt{t.id, t.attempt}) + (t.resume ? " resume" : "");
      for (const TaskInput& input : t.inputs) {
        out += " input=" + text(input.id) + ":" + std::string(to_string(input.state));
      }
    }
    return out;
  }
  std::string operator()(const TaskList& m) const {
    std::string out = m.complete ? " complete" : " partial";
    for (const TaskInfo& t : m.tasks)
      out += " task=" + text(t.id) + ":" + std::string(to_string(t.state));
    return out;
  }
  std::string operator()(const Explained& m) const {
    const Explanation& e = m.task;
    std::string out = " task=" + text(e.id) + " " + std::string(to_string(e.state));
    if (e.estimated) {
      std::ostringstream range;
      range << e.estimate_low_seconds << ".." << e.estimate_high_seconds;
      out += " estimate=" + range.str() + "s";
    }
    for (const std::string& sentence : e.because) out += "\n  " + sentence;
    return out;
  }
  std::string operator()(const Referenced& m) const {
    std::string out;
    for (const std::string& hash : m.hashes) {
      out += " artifact=" + hash.substr(0, hash.find_last_not_of('0') + 1);
    }
    return out;
  }
  std::string operator()(const QuarantineList& m) const {
    std::string out;
    for (const QuarantineInfo& q : m.quarantines) {
      out += " " + q.key + ":losses=" + std::to_string(q.losses) +
             ",held=" + std::to_string(q.held) + quoted("reason", q.reason);
    }
    return out;
  }
  std::string operator()(const Operated& m) const {
    return " request=" + std::to_string(m.request) + " affected=" + std::to_string(m.affected);
  }
  std::string operator()(const Recorded& m) const {
    return list("recorded", m.recorded) + list("stale", m.stale);
  }
  std::string operator()(const Stop& m) const {
    return list("cancel", m.cancel) + list("drop", m.drop) + list("hand_over", m.hand_over);
  }
  template <typename Other>
  std::string operator()(const Other&) const {
    return {};
  }
};

}  // namespace

std::string print(const core::Append& append) {
  return "append " + std::visit(PrintRecord(), append.record);
}

std::string print(const std::string& peer, const Message& message) {
  return "send   " + peer + " " + std::string(to_string(type_of(message))) +
         std::visit(PrintMessage(), message);
}

std::string print(const FeedEvent& event) {
  std::string out = "feed   " + event.queue.value + "/" + text(event.task) + "/" +
                    std::string(to_string(event.kind));
  if (event.kind == EventKind::kState) out += " " + std::string(to_string(event.state));
  if (event.kind == EventKind::kProgress) {
    out += " " + std::to_string(event.done) + "/" + std::to_string(event.total);
  }
  if (!event.worker.value.empty()) out += " worker=" + event.worker.value;
  return out + quoted("text", event.text);
}

}  // namespace assay::golden
