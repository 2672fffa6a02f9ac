#include "broker/net/metrics.h"

#include <algorithm>
#include <cstdio>

namespace assay::net {
namespace {

std::string number(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.9g", value);
  return text;
}

void head(std::string& out, const std::string& name, const char* type, const char* help) {
  out += "# HELP " + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
}

template <typename Value>
void line(std::string& out, const std::string& name, const std::string& labels, Value value) {
  out += name + (labels.empty() ? "" : "{" + labels + "}") + " ";
  if constexpr (std::is_floating_point_v<Value>) {
    out += number(value);
  } else {
    out += std::to_string(value);
  }
  out += "\n";
}

// Queue names and reasons are names (valid_name, or our own tokens): nothing in them needs
// escaping.
std::string label(const char* name, std::string_view value) {
  return std::string(name) + "=\"" + std::string(value) + "\"";
}

void print_queues(std::string& out, const std::vector<QueueInfo>& queues) {
  head(out, "assay_queue_depth", "gauge", "Tasks of a queue that have not ended, by state.");
  for (const QueueInfo& queue : queues) {
    const std::string name = label("queue", queue.name.value);
    line(out, "assay_queue_depth", name + "," + label("state", "queued"), queue.queued);
    line(out, "assay_queue_depth", name + "," + label("state", "running"), queue.running);
    line(out, "assay_queue_depth", name + "," + label("state", "waiting"), queue.waiting);
  }
  head(out, "assay_queue_oldest_seconds", "gauge", "How long the longest queued task has waited.");
  for (const QueueInfo& queue : queues) {
    line(out, "assay_queue_oldest_seconds", label("queue", queue.name.value), queue.oldest_seconds);
  }
  head(out, "assay_workers", "gauge", "Connected workers.");
  for (const QueueInfo& queue : queues)
    line(out, "assay_workers", label("queue", queue.name.value), queue.workers);
  head(out, "assay_worker_slots", "gauge", "Slots of the connected workers, by state.");
  for (const QueueInfo& queue : queues) {
    const std::string name = label("queue", queue.name.value);
    const std::uint64_t busy = std::min(queue.running, queue.capacity);
    line(out, "assay_worker_slots", name + "," + label("state", "busy"), busy);
    line(out, "assay_worker_slots", name + "," + label("state", "free"), queue.capacity - busy);
  }
}

void print_histograms(std::string& out, const std::string& name, const char* help,
                      const std::map<std::string, SecondsHistogram>& by_queue) {
  head(out, name, "histogram", help);
  for (const auto& [queue, histogram] : by_queue) histogram.print(name, label("queue", queue), out);
}

void print_attempts(std::string& out, const core::Counters& counters) {
  head(out, "assay_attempts_lost_total", "counter", "Attempts that ended with their worker.");
  line(out, "assay_attempts_lost_total", "", counters.lost);
  head(out, "assay_attempts_adopted_total", "counter",
       "Attempts that went on over a reconnect or a restart.");
  line(out, "assay_attempts_adopted_total", "", counters.adopted);
  head(out, "assay_attempts_handed_over_total", "counter",
       "Attempts that a leaving worker gave back to go on elsewhere.");
  line(out, "assay_attempts_handed_over_total", "", counters.handed_over);
  head(out, "assay_tasks_shared_total", "counter",
       "Tasks that ended as another of the same work did, without a run of their own.");
  line(out, "assay_tasks_shared_total", "", counters.shared);
  head(out, "assay_quarantined_total", "counter",
       "Bodies and images that were quarantined since the broker started.");
  line(out, "assay_quarantined_total", "", counters.quarantined);
  head(out, "assay_stale_reports_total", "counter",
       "Reports from attempts that no longer counted.");
  line(out, "assay_stale_reports_total", "", counters.stale_reports);
}

}  // namespace

void SecondsHistogram::observe(double seconds) {
  const auto bucket = std::lower_bound(kBounds.begin(), kBounds.end(), seconds) - kBounds.begin();
  ++counts_[static_cast<std::size_t>(bucket)];
  sum_ += seconds;
  ++count_;
}

void SecondsHistogram::print(const std::string& name, const std::string& labels,
                             std::string& out) const {
  const std::string before = labels.empty() ? "" : labels + ",";
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < kBounds.size(); ++i) {
    below += counts_[i];
    line(out, name + "_bucket", before + label("le", number(kBounds[i])), below);
  }
  line(out, name + "_bucket", before + label("le", "+Inf"), count_);
  line(out, name + "_sum", labels, sum_);
  line(out, name + "_count", labels, count_);
}

std::string prometheus_text(const core::BrokerCore& core, const Measured& measured,
                            const StorageCounters& storage, Time now) {
  std::string out;
  print_queues(out, core.queue_infos(now));
  const core::Counters& counters = core.counters();
  head(out, "assay_tasks_total", "counter",
       "Tasks that have ended since the broker started, by outcome.");
  for (const auto& [which, count] : counters.ended) {
    line(out, "assay_tasks_total",
         label("queue", core.state().queue(which.first).name.value) + "," +
             label("outcome", to_string(which.second)),
         count);
  }
  head(out, "assay_tasks_submitted_total", "counter", "Tasks accepted since the broker started.");
  line(out, "assay_tasks_submitted_total", "", counters.submitted);
  head(out, "assay_tasks_scheduled_total", "counter", "Of these, by the clock.");
  line(out, "assay_tasks_scheduled_total", "", counters.scheduled);
  head(out, "assay_schedules_delayed_total", "counter",
       "Times that a due task could not be taken yet.");
  line(out, "assay_schedules_delayed_total", "", counters.schedules_delayed);
  print_attempts(out, counters);
  print_histograms(out, "assay_queue_wait_seconds", "From submitted to the first lease.",
                   measured.wait_seconds);
  print_histograms(out, "assay_task_duration_seconds", "From the last lease to the end.",
                   measured.duration_seconds);
  head(out, "assay_journal_flush_seconds", "histogram", "How long a flush of the journal took.");
  measured.flush_seconds.print("assay_journal_flush_seconds", "", out);
  head(out, "assay_journal_bytes", "gauge", "Bytes of the journal on disk.");
  line(out, "assay_journal_bytes", "", storage.bytes);
  head(out, "assay_checkpoint_bytes", "gauge",
       "Bytes of the checkpoint that the journal begins with.");
  line(out, "assay_checkpoint_bytes", "", storage.checkpoint_bytes);
  head(out, "assay_compactions_total", "counter", "Checkpoints made since the broker started.");
  line(out, "assay_compactions_total", "", storage.compactions);
  head(out, "assay_compaction_failures_total", "counter",
       "Checkpoints that could not be made; each is tried again.");
  line(out, "assay_compaction_failures_total", "", storage.compaction_failures);
  head(out, "assay_events_sequence", "gauge", "The sequence number of the feed's latest event.");
  line(out, "assay_events_sequence", "", core.state().last_sequence());
  head(out, "assay_rejected_messages_total", "counter",
       "Messages answered with an error, by reason.");
  std::map<std::string, std::uint64_t> rejected = measured.rejected;
  for (const auto& [reason, count] : counters.refused) rejected[reason] += count;
  for (const auto& [reason, count] : rejected) {
    line(out, "assay_rejected_messages_total", label("reason", reason), count);
  }
  head(out, "assay_messages_dropped_total", "counter",
       "Messages not sent because their peer does not read.");
  line(out, "assay_messages_dropped_total", "", measured.dropped_unread);
  head(out, "assay_connections_refused_total", "counter",
       "Connections refused for want of a known key, by reason.");
  for (const auto& [reason, count] : measured.connections_refused) {
    line(out, "assay_connections_refused_total", label("reason", reason), count);
  }
  return out;
}

std::string prometheus_text(const history::HistoryCounters& history) {
  std::string out;
  head(out, "assay_history_lag_records", "gauge",
       "Records that are durable and not in the history yet.");
  line(out, "assay_history_lag_records", "", history.lag_records);
  head(out, "assay_history_lost_batches_total", "counter",
       "Batches that the journal had dropped before the history read them.");
  line(out, "assay_history_lost_batches_total", "", history.lost_batches);
  head(out, "assay_history_ended_tasks", "gauge", "Ended tasks in the history.");
  line(out, "assay_history_ended_tasks", "", history.ended_tasks);
  return out;
}

std::string queue_json(const QueueInfo& queue) {
  const std::uint64_t pending = queue.queued + queue.running;
  // Pending over one worker's slots, rounded up; before any worker came, as if each had one slot.
  const std::uint64_t slots =
      queue.workers == 0 ? 1 : std::max<std::uint64_t>(1, queue.capacity / queue.workers);
  return "{\"name\":\"" + queue.name.value + "\",\"queued\":" + std::to_string(queue.queued) +
         ",\"running\":" + std::to_string(queue.running) +
         ",\"waiting\":" + std::to_string(queue.waiting) +
         ",\"pending\":" + std::to_string(pending) +
         ",\"oldest_seconds\":" + number(queue.oldest_seconds) +
         ",\"workers\":" + std::to_string(queue.workers) +
         ",\"capacity\":" + std::to_string(queue.capacity) +
         ",\"wanted_workers\":" + std::to_string((pending + slots - 1) / slots) + "}";
}

std::string queues_json(const std::vector<QueueInfo>& queues) {
  std::string out = "[";
  for (const QueueInfo& queue : queues) out += (out.size() > 1 ? "," : "") + queue_json(queue);
  return out + "]\n";
}

}  // namespace assay::net
