#include "broker/journal/record_codec.h"

#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <type_traits>

namespace assay::journal {
namespace {

using core::RecordType;

template <typename Fields, typename Measured>
void visit_usage(Fields& fields, Measured& usage) {
  fields("cpu_seconds", usage.cpu_seconds);
  fields("memory_byte_seconds", usage.memory_byte_seconds);
  fields("gpu_seconds", usage.gpu_seconds);
  fields("wall_seconds", usage.wall_seconds);
}

template <typename Fields, typename Submitted>
void visit_submitted_tail(Fields& fields, Submitted& record) {
  fields("after", record.after);
  fields("on_failure", record.on_failure);
  fields("not_before", record.not_before);
  fields("deadline", record.deadline);
  fields("timeout", record.timeout);
  fields("backoff_first", record.backoff_first);
  fields("backoff_max", record.backoff_max);
  fields("cost", record.cost);
  fields("require", record.require);
  fields("artifacts", record.artifacts);
  fields("cache_key", record.cache_key);
  fields("cache_ttl", record.cache_ttl);
  fields("traceparent", record.traceparent);
  fields("follows", record.follows);
}

// What few records say. Where none of it is said, none of it is written.
template <typename R>
constexpr bool kHasTail =
    std::is_same_v<R, core::TaskSubmitted> || std::is_same_v<R, core::TaskEnded> ||
    std::is_same_v<R, core::AttemptEnded> || std::is_same_v<R, core::TaskCarried>;

template <typename Fields, typename Task>
void visit_carried_tail(Fields& fields, Task& task) {
  visit_submitted_tail(fields, task.submitted);
  fields("cause", task.cause);
  fields("attempt", task.attempt);
  fields("counted", task.attempts_counted);
  fields("losses", task.losses);
  fields("cancel_requested", task.cancel_requested);
  fields("handed_over", task.handed_over);
  fields("by_report", task.ended_by_report);
  fields("pinned", task.pinned);
  fields("has_deadline", task.has_deadline);
  fields("dependencies_left", task.dependencies_left);
  fields("dependents_left", task.dependents_left);
  fields.list("attempts", task.attempts, [&](auto& attempt) {
    fields("attempt", attempt.attempt.number);
    fields("worker", attempt.worker.value);
    fields("started_at", attempt.started_at);
    fields("ended_at", attempt.ended_at);
    fields("because", attempt.ended_because);
    fields("cause", attempt.cause);
    visit_usage(fields, attempt.usage);
  });
  fields("reason", task.reason);
  fields("result_artifacts", task.result_artifacts);
  fields("cached_from", task.cached_from);
  fields("followers", task.followers);
  fields("held_by", task.held_by);
  visit_usage(fields, task.usage);
}

template <typename Fields, typename R>
void visit_tail(Fields& fields, R& record) {
  using Type = std::remove_const_t<R>;
  if constexpr (std::is_same_v<Type, core::TaskEnded>) {
    fields("artifacts", record.artifacts);
    visit_usage(fields, record.usage);
    fields("cached_from", record.cached_from);
  } else if constexpr (std::is_same_v<Type, core::AttemptEnded>) {
    fields("handed_over", record.handed_over);
    visit_usage(fields, record.usage);
  } else if constexpr (std::is_same_v<Type, core::TaskCarried>) {
    visit_carried_tail(fields, record);
  } else {
    visit_submitted_tail(fields, record);
  }
}

// What every submitted task says, beside its id, time and queue.
template <typename Fields, typename Submitted>
void visit_submitted(Fields& fields, Submitted& record) {
  fields("owner", record.owner.value);
  fields("priority", record.priority);
  fields("max_attempts", record.max_attempts);
  fields("fingerprint", record.fingerprint);
  fields("labels", record.labels);
  if (fields.has_body_hash) fields("body_hash", record.body_hash);
}

template <typename Fields, typename R>
void visit_carried(Fields& fields, R& record);

// Each record's fields in the order in which they are written; the same list serves both directions
// and people.
template <typename Fields, typename R>
void visit_fields(Fields& fields, R& record) {
  using Type = std::remove_const_t<R>;
  fields("sequence", record.sequence);
  if constexpr (requires { record.id; }) fields("task", record.id);
  if constexpr (requires { record.at; }) fields("at", record.at);
  if constexpr (requires { record.queue; }) fields("queue", record.queue.value);
  if constexpr (std::is_same_v<Type, core::TaskSubmitted>) {
    visit_submitted(fields, record);
    visit_tail(fields, record);
  } else if constexpr (std::is_same_v<Type, core::TaskLeased>) {
    fields("attempt", record.attempt.number);
    fields("worker", record.worker.value);
  } else if constexpr (std::is_same_v<Type, core::AttemptEnded>) {
    fields("attempt", record.attempt.number);
    fields("cause", record.cause);
    fields("loss", record.counts_as_loss);
    fields("counted", record.counts_as_attempt);
    fields("ready_at", record.ready_at);
    fields("because", record.because);
    visit_tail(fields, record);
  } else if constexpr (std::is_same_v<Type, core::CancelRequested>) {
    fields("reason", record.reason);
  } else if constexpr (std::is_same_v<Type, core::TaskEnded>) {
    fields("attempt", record.attempt.number);
    fields("state", record.state);
    fields("cause", record.cause);
    fields("reason", record.reason);
    fields("by_report", record.by_report);
    visit_tail(fields, record);
  } else if constexpr (std::is_same_v<Type, core::QueuePaused>) {
    fields("paused", record.paused);
  } else if constexpr (std::is_same_v<Type, core::ScheduleSet>) {
    fields("name", record.name);
    fields("line", record.state.line);
    fields("zone", record.state.zone);
    fields("settled", record.state.settled);
    fields("last_due", record.state.last_due);
    fields("last_task", record.state.last_task);
  } else if constexpr (std::is_same_v<Type, core::ScheduleFired>) {
    fields("name", record.name);
    fields("due", record.due);
  } else if constexpr (std::is_same_v<Type, core::ScheduleRemoved>) {
    fields("name", record.name);
  } else if constexpr (std::is_same_v<Type, core::TaskForgotten>) {
    fields("from_history", record.from_history);
  } else if constexpr (std::is_same_v<Type, core::TaskPinned>) {
    fields("pinned", record.pinned);
  } else if constexpr (std::is_same_v<Type, core::TaskHeld>) {
    fields("key", record.key);
  } else if constexpr (std::is_same_v<Type, core::Quarantined>) {
    fields("key", record.key);
    fields("losses", record.losses);
    fields("reason", record.reason);
  } else if constexpr (std::is_same_v<Type, core::QuarantineReleased>) {
    fields("key", record.key);
  } else if constexpr (std::is_same_v<Type, core::EndedForgotten>) {
    fields("count", record.count);
  } else {
    visit_carried(fields, record);
  }
}

// The records of a checkpoint.
template <typename Fields, typename R>
void visit_carried(Fields& fields, R& record) {
  using Type = std::remove_const_t<R>;
  const auto name = [&](auto& owner) { fields("owner", owner.value); };
  if constexpr (std::is_same_v<Type, core::CheckpointBegun>) {
    fields.list("owners", record.owners, name);
  } else if constexpr (std::is_same_v<Type, core::TaskCarried>) {
    fields("task", record.submitted.id);
    fields("at", record.submitted.at);
    fields("queue", record.submitted.queue.value);
    visit_submitted(fields, record.submitted);
    fields("state", record.state);
    fields("changed_at", record.changed_at);
    visit_tail(fields, record);
  } else if constexpr (std::is_same_v<Type, core::DependentsCarried>) {
    fields("dependents", record.dependents);
  } else if constexpr (std::is_same_v<Type, core::RunCarried>) {
    fields("owner", record.owner.value);
    fields("cache_key", record.cache_key);
    fields("leader", record.leader);
    fields("success", record.success);
    fields("followers", record.followers);
  } else if constexpr (std::is_same_v<Type, core::QueueCarried>) {
    fields("last_sequence", record.last_sequence);
    fields("pass_now", record.pass_now);
    fields.list("owners", record.owners, name);
    fields.list("passes", record.passes, [&](auto& pass) { fields("pass", pass); });
  }
}

// Little-endian numbers; text with its length in four bytes before it.
class Writer {
 public:
  static constexpr bool has_body_hash = true;
  explicit Writer(std::string& out) : out_(out) {}

  template <typename Number>
  requires std::is_integral_v<Number> || std::is_enum_v<Number>
  void operator()(const char*, const Number& value) {
    auto bits = static_cast<std::uint64_t>(value);
    std::array<char, sizeof value> bytes;
    for (char& byte : bytes) {
      byte = static_cast<char>(bits & 0xFF);
      bits >>= 8;
    }
    out_.append(bytes.data(), bytes.size());
  }
  void operator()(const char* name, const double& value) {
    (*this)(name, std::bit_cast<std::uint64_t>(value));
  }
  void operator()(const char*, const TaskId& id) {
    out_.append(reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size());
  }
  void operator()(const char* name, const Time& at) {
    (*this)(name, at.time_since_epoch().count());
  }
  void operator()(const char* name, const Duration& duration) { (*this)(name, duration.count()); }
  void operator()(const char* name, const std::vector<TaskId>& ids) {
    (*this)(name, static_cast<std::uint32_t>(ids.size()));
    for (const TaskId& id : ids) (*this)(name, id);
  }
  void operator()(const char* name, const std::string& text) {
    (*this)(name, static_cast<std::uint32_t>(text.size()));
    out_ += text;
  }
  void operator()(const char* name, const std::vector<std::string>& texts) {
    (*this)(name, static_cast<std::uint32_t>(texts.size()));
    for (const std::string& text : texts) (*this)(name, text);
  }
  void operator()(const char* name, const std::optional<Time>& at) {
    (*this)(name, at.has_value());
    if (at) (*this)(name, *at);
  }
  template <typename Item, typename Visit>
  void list(const char* name, const std::vector<Item>& items, Visit visit) {
    (*this)(name, static_cast<std::uint32_t>(items.size()));
    for (const Item& item : items) visit(item);
  }
  void operator()(const char* name, const std::map<std::string, std::string>& labels) {
    (*this)(name, static_cast<std::uint32_t>(labels.size()));
    for (const auto& [label, value] : labels) {
      (*this)(name, label);
      (*this)(name, value);
    }
  }

 private:
  std::string& out_;
};

class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}

  // Of a TaskSubmitted: written since records have the number 15.
  bool has_body_hash = true;
  bool failed() const { return failed_; }

  template <typename Number>
  requires std::is_integral_v<Number> || std::is_enum_v<Number>
  void operator()(const char*, Number& value) {
    std::uint64_t bits = 0;
    const std::string_view bytes = take(sizeof value);
    for (std::size_t i = bytes.size(); i-- > 0;)
      bits = bits << 8 | static_cast<unsigned char>(bytes[i]);
    if (!bytes.empty()) value = static_cast<Number>(bits);
  }
  void operator()(const char* name, double& value) {
    auto bits = std::bit_cast<std::uint64_t>(value);
    (*this)(name, bits);
    value = std::bit_cast<double>(bits);
  }
  void operator()(const char*, TaskId& id) {
    const std::string_view bytes = take(id.bytes.size());
    if (!bytes.empty()) std::memcpy(id.bytes.data(), bytes.data(), bytes.size());
  }
  void operator()(const char* name, Time& at) {
    Duration::rep milliseconds = at.time_since_epoch().count();
    (*this)(name, milliseconds);
    at = Time(Duration(milliseconds));
  }
  void operator()(const char* name, Duration& duration) {
    Duration::rep milliseconds = duration.count();
    (*this)(name, milliseconds);
    duration = Duration(milliseconds);
  }
  void operator()(const char* name, std::vector<TaskId>& ids) {
    std::uint32_t count = 0;
    (*this)(name, count);
    for (; count > 0 && !failed_ && !in_.empty(); --count) {
      TaskId id;
      (*this)(name, id);
      ids.push_back(id);
    }
    failed_ = failed_ || count > 0;
  }
  void operator()(const char* name, std::string& text) {
    std::uint32_t length = 0;
    (*this)(name, length);
    if (length == 0) return;
    failed_ = failed_ || in_.empty();
    text = take(length);
  }
  void operator()(const char* name, std::vector<std::string>& texts) {
    std::uint32_t count = 0;
    (*this)(name, count);
    for (; count > 0 && !failed_ && !in_.empty(); --count) {
      (*this)(name, texts.emplace_back());
    }
    failed_ = failed_ || count > 0;
  }
  void operator()(const char* name, std::optional<Time>& at) {
    bool is_there = false;
    (*this)(name, is_there);
    if (is_there) (*this)(name, at.emplace());
  }
  template <typename Item, typename Visit>
  void list(const char* name, std::vector<Item>& items, Visit visit) {
    std::uint32_t count = 0;
    (*this)(name, count);
    for (; count > 0 && !failed_ && !in_.empty(); --count) visit(items.emplace_back());
    failed_ = failed_ || count > 0;
  }
  void operator()(const char* name, std::map<std::string, std::string>& labels) {
    std::uint32_t count = 0;
    (*this)(name, count);
    for (; count > 0 && !failed_ && !in_.empty(); --count) {
      std::string label, value;
      (*this)(name, label);
      (*this)(name, value);
      labels.emplace(std::move(label), std::move(value));
    }
    failed_ = failed_ || count > 0;
  }

 private:
  // Exactly `count` bytes; or none, where the record ends before a field that it does not have yet.
  std::string_view take(std::size_t count) {
    if (in_.empty() || in_.size() < count) {
      failed_ = failed_ || !in_.empty();
      in_ = {};
      return {};
    }
    const std::string_view bytes = in_.substr(0, count);
    in_.remove_prefix(count);
    return bytes;
  }

  std::string_view in_;
  bool failed_ = false;
};

class Describer {
 public:
  static constexpr bool has_body_hash = true;
  explicit Describer(std::string& out) : out_(out) {}

  template <typename Number>
  requires std::is_integral_v<Number>
  void operator()(const char* name, const Number& value) { add(name, std::to_string(value)); }
  void operator()(const char* name, const double& value) {
    if (value != 0) add(name, std::to_string(value));
  }
  void operator()(const char* name, const Duration& duration) { (*this)(name, duration.count()); }
  void operator()(const char* name, const std::vector<TaskId>& ids) {
    for (const TaskId& id : ids) (*this)(name, id);
  }
  void operator()(const char* name, const std::vector<std::string>& texts) {
    for (const std::string& text : texts) (*this)(name, text);
  }
  void operator()(const char* name, const OnFailure& choice) { add(name, to_string(choice)); }
  void operator()(const char* name, const Cause& cause) { add(name, to_string(cause)); }
  void operator()(const char* name, const TaskState& state) { add(name, to_string(state)); }
  void operator()(const char* name, const TaskId& id) { add(name, id.text()); }
  void operator()(const char* name, const Time& at) {
    add(name, std::to_string(at.time_since_epoch().count()));
  }
  void operator()(const char* name, const std::string& text) {
    if (!text.empty()) add(name, "\"" + text + "\"");
  }
  void operator()(const char* name, const std::optional<Time>& at) {
    if (at) (*this)(name, *at);
  }
  template <typename Item, typename Visit>
  void list(const char*, const std::vector<Item>& items, Visit visit) {
    for (const Item& item : items) visit(item);
  }
  void operator()(const char* name, const std::map<std::string, std::string>& labels) {
    for (const auto& [label, value] : labels) add(name, label + ":" + value);
  }

 private:
  void add(const char* name, std::string_view value) {
    out_ += ' ';
    out_ += name;
    out_ += '=';
    out_ += value;
  }

  std::string& out_;
};

template <typename R>
constexpr RecordType kTypeOf = [] {
  if constexpr (std::is_same_v<R, core::BrokerStarted>) return RecordType::kBrokerStarted;
  if constexpr (std::is_same_v<R, core::QueueCreated>) return RecordType::kQueueCreated;
  if constexpr (std::is_same_v<R, core::TaskSubmitted>) return RecordType::kTaskSubmittedHashed;
  if constexpr (std::is_same_v<R, core::TaskLeased>) return RecordType::kTaskLeased;
  if constexpr (std::is_same_v<R, core::AttemptEnded>) return RecordType::kAttemptEnded;
  if constexpr (std::is_same_v<R, core::TaskReady>) return RecordType::kTaskReady;
  if constexpr (std::is_same_v<R, core::CancelRequested>) return RecordType::kCancelRequested;
  if constexpr (std::is_same_v<R, core::TaskEnded>) return RecordType::kTaskEnded;
  if constexpr (std::is_same_v<R, core::TaskForgotten>) return RecordType::kTaskForgotten;
  if constexpr (std::is_same_v<R, core::TaskPinned>) return RecordType::kTaskPinned;
  if constexpr (std::is_same_v<R, core::TaskHeld>) return RecordType::kTaskHeld;
  if constexpr (std::is_same_v<R, core::Quarantined>) return RecordType::kQuarantined;
  if constexpr (std::is_same_v<R, core::QuarantineReleased>) return RecordType::kQuarantineReleased;
  if constexpr (std::is_same_v<R, core::TaskRevived>) return RecordType::kTaskRevived;
  if constexpr (std::is_same_v<R, core::QueuePaused>) return RecordType::kQueuePaused;
  if constexpr (std::is_same_v<R, core::ScheduleSet>) return RecordType::kScheduleSet;
  if constexpr (std::is_same_v<R, core::ScheduleFired>) return RecordType::kScheduleFired;
  if constexpr (std::is_same_v<R, core::ScheduleRemoved>) return RecordType::kScheduleRemoved;
  if constexpr (std::is_same_v<R, core::CheckpointBegun>) return RecordType::kCheckpointBegun;
  if constexpr (std::is_same_v<R, core::TaskCarried>) return RecordType::kTaskCarried;
  if constexpr (std::is_same_v<R, core::DependentsCarried>) return RecordType::kDependentsCarried;
  if constexpr (std::is_same_v<R, core::RunCarried>) return RecordType::kRunCarried;
  if constexpr (std::is_same_v<R, core::QueueCarried>) return RecordType::kQueueCarried;
  if constexpr (std::is_same_v<R, core::EndedForgotten>) return RecordType::kEndedForgotten;
}();

std::string_view name_of(RecordType type) {
  switch (type) {
    case RecordType::kBrokerStarted:
      return "BrokerStarted";
    case RecordType::kQueueCreated:
      return "QueueCreated";
    case RecordType::kTaskSubmitted:
    case RecordType::kTaskSubmittedHashed:
      return "TaskSubmitted";
    case RecordType::kTaskLeased:
      return "TaskLeased";
    case RecordType::kAttemptEnded:
      return "AttemptEnded";
    case RecordType::kTaskReady:
      return "TaskReady";
    case RecordType::kCancelRequested:
      return "CancelRequested";
    case RecordType::kTaskEnded:
      return "TaskEnded";
    case RecordType::kTaskForgotten:
      return "TaskForgotten";
    case RecordType::kTaskPinned:
      return "TaskPinned";
    case RecordType::kTaskHeld:
      return "TaskHeld";
    case RecordType::kQuarantined:
      return "Quarantined";
    case RecordType::kQuarantineReleased:
      return "QuarantineReleased";
    case RecordType::kTaskRevived:
      return "TaskRevived";
    case RecordType::kQueuePaused:
      return "QueuePaused";
    case RecordType::kScheduleSet:
      return "ScheduleSet";
    case RecordType::kScheduleFired:
      return "ScheduleFired";
    case RecordType::kScheduleRemoved:
      return "ScheduleRemoved";
    case RecordType::kCheckpointBegun:
      return "CheckpointBegun";
    case RecordType::kTaskCarried:
      return "TaskCarried";
    case RecordType::kDependentsCarried:
      return "DependentsCarried";
    case RecordType::kRunCarried:
      return "RunCarried";
    case RecordType::kQueueCarried:
      return "QueueCarried";
    case RecordType::kEndedForgotten:
      return "EndedForgotten";
  }
  return "unknown";
}

// Into memory that stays: this happens for every record.
template <typename R>
const std::string& tail_of(const R& record) {
  thread_local std::string bytes;
  bytes.clear();
  Writer writer(bytes);
  visit_tail(writer, record);
  return bytes;
}

template <typename R>
Result<core::Record> read(std::string_view fields, bool has_body_hash = true) {
  R record;
  Reader reader(fields);
  reader.has_body_hash = has_body_hash;
  visit_fields(reader, record);
  if (reader.failed()) {
    return Status(Code::kDataLoss, "malformed_record",
                  "a " + std::string(name_of(kTypeOf<R>)) + " record of " +
                      std::to_string(fields.size() + 1) + " bytes ends in the middle of a field");
  }
  return core::Record(std::move(record));
}

}  // namespace

void encode_record(const core::Record& record, std::string& out) {
  std::visit(
      [&]<typename R>(const R& what) {
        out.push_back(static_cast<char>(kTypeOf<R>));
        Writer writer(out);
        visit_fields(writer, what);
        if constexpr (kHasTail<R>) {
          static const std::string kNothingSaid = tail_of(R());
          if (out.ends_with(kNothingSaid) && tail_of(what) == kNothingSaid) {
            out.resize(out.size() - kNothingSaid.size());
          }
        }
      },
      record);
}

Result<core::Record> decode_record(std::string_view head) {
  if (head.empty()) return Status(Code::kDataLoss, "malformed_record", "a record of no bytes");
  const std::string_view fields = head.substr(1);
  switch (static_cast<RecordType>(head[0])) {
    case RecordType::kBrokerStarted:
      return read<core::BrokerStarted>(fields);
    case RecordType::kQueueCreated:
      return read<core::QueueCreated>(fields);
    case RecordType::kTaskSubmitted:
      return read<core::TaskSubmitted>(fields, /*has_body_hash=*/false);
    case RecordType::kTaskSubmittedHashed:
      return read<core::TaskSubmitted>(fields);
    case RecordType::kTaskLeased:
      return read<core::TaskLeased>(fields);
    case RecordType::kAttemptEnded:
      return read<core::AttemptEnded>(fields);
    case RecordType::kTaskReady:
      return read<core::TaskReady>(fields);
    case RecordType::kCancelRequested:
      return read<core::CancelRequested>(fields);
    case RecordType::kTaskEnded:
      return read<core::TaskEnded>(fields);
    case RecordType::kTaskForgotten:
      return read<core::TaskForgotten>(fields);
    case RecordType::kTaskPinned:
      return read<core::TaskPinned>(fields);
    case RecordType::kTaskHeld:
      return read<core::TaskHeld>(fields);
    case RecordType::kQuarantined:
      return read<core::Quarantined>(fields);
    case RecordType::kQuarantineReleased:
      return read<core::QuarantineReleased>(fields);
    case RecordType::kTaskRevived:
      return read<core::TaskRevived>(fields);
    case RecordType::kQueuePaused:
      return read<core::QueuePaused>(fields);
    case RecordType::kScheduleSet:
      return read<core::ScheduleSet>(fields);
    case RecordType::kScheduleFired:
      return read<core::ScheduleFired>(fields);
    case RecordType::kScheduleRemoved:
      return read<core::ScheduleRemoved>(fields);
    case RecordType::kCheckpointBegun:
      return read<core::CheckpointBegun>(fields);
    case RecordType::kTaskCarried:
      return read<core::TaskCarried>(fields);
    case RecordType::kDependentsCarried:
      return read<core::DependentsCarried>(fields);
    case RecordType::kRunCarried:
      return read<core::RunCarried>(fields);
    case RecordType::kQueueCarried:
      return read<core::QueueCarried>(fields);
    case RecordType::kEndedForgotten:
      return read<core::EndedForgotten>(fields);
  }
  return Status(Code::kDataLoss, "unknown_record",
                "a record of type " + std::to_string(static_cast<unsigned char>(head[0])) +
                    ", which this version does not know; was the journal written by a newer one?");
}

std::string describe_record(const core::Record& record) {
  return std::visit(
      []<typename R>(const R& what) {
        std::string out(name_of(kTypeOf<R>));
        Describer describer(out);
        visit_fields(describer, what);
        return out;
      },
      record);
}

}  // namespace assay::journal
