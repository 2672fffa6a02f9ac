#include "broker/history/list_query.h"

#include <algorithm>
#include <charconv>

#include "broker/core/limits.h"
#include "broker/history/task_columns.h"

namespace assay::history {
namespace {

constexpr std::string_view kIdAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kIdLength = 26;

std::int64_t milliseconds(Time at) {
  return at.time_since_epoch().count();
}

TaskState state_of(Phase phase) {
  switch (phase) {
    case Phase::kRunning:
      return TaskState::kRunning;
    case Phase::kQueued:
      return TaskState::kQueued;
    default:
      return TaskState::kWaiting;
  }
}

// Collects conditions and their values in the order of the text.
class Builder {
 public:
  void from(std::string_view text) {
    query_.sql = "SELECT " + std::string(kTaskColumns) + std::string(text);
  }
  template <typename... Values>
  void where(std::string_view condition, Values... values) {
    query_.sql += first_ ? " WHERE " : " AND ";
    query_.sql += condition;
    first_ = false;
    (query_.values.emplace_back(std::move(values)), ...);
  }
  Query order_by(std::string_view order, std::size_t limit) {
    query_.sql += " ORDER BY " + std::string(order) + " LIMIT ?";
    query_.values.emplace_back(static_cast<std::int64_t>(limit));
    return std::move(query_);
  }

 private:
  Query query_;
  bool first_ = true;
};

// What drives the query: the index that is read in the order of the list. Its condition is repeated
// by the others below, which costs nothing.
void choose_index(const TaskFilter& filter, bool ended, Builder& builder) {
  if (filter.id_prefix.size() >= kNarrowPrefixLength)
    return builder.from(" FROM tasks t INDEXED BY tasks_by_id");
  if (!filter.labels.empty()) {
    builder.from(" FROM labels l CROSS JOIN tasks t ON t.key = l.task");
    builder.where("l.name = ? AND l.value = ?", filter.labels.begin()->first,
                  filter.labels.begin()->second);
    return builder.where(ended ? "l.ended_at > 0" : "l.ended_at = 0");
  }
  if (!ended) return builder.from(" FROM tasks t INDEXED BY tasks_live");
  builder.from(" FROM tasks t INDEXED BY tasks_by_end");
}

}  // namespace

std::string Cursor::text() const {
  return std::to_string(static_cast<int>(phase)) + "." + std::to_string(ended_at) + "." +
         std::to_string(key);
}

std::optional<Cursor> Cursor::parse(std::string_view text) {
  std::int64_t numbers[3] = {};
  const char* at = text.data();
  const char* const end = at + text.size();
  for (std::size_t i = 0; i < 3; ++i) {
    if (i > 0 && (at == end || *at++ != '.')) return std::nullopt;
    const auto parsed = std::from_chars(at, end, numbers[i]);
    if (parsed.ec != std::errc()) return std::nullopt;
    at = parsed.ptr;
  }
  if (at != end || numbers[0] < 0 || numbers[0] >= kPhaseCount) return std::nullopt;
  return Cursor{static_cast<Phase>(numbers[0]), numbers[1], numbers[2]};
}

std::string upper_case(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return upper;
}

std::string after_prefix(std::string_view upper_case_prefix) {
  return std::string(upper_case_prefix) + "~";
}

Status check(const TaskFilter& filter) {
  const std::string prefix = upper_case(filter.id_prefix);
  const bool spells_id = prefix.find_first_not_of(kIdAlphabet) == std::string::npos;
  if (!prefix.empty() &&
      (prefix.size() < core::kIdPrefixLengthMin || prefix.size() > kIdLength || !spells_id)) {
    return fix_input(std::string(kReasonInvalidQuery),
                     "expected " + std::to_string(core::kIdPrefixLengthMin) + " to " +
                         std::to_string(kIdLength) + " characters of a task's id, found '" +
                         prefix.substr(0, 80) + "'");
  }
  if (filter.ended_only && filter.state && !is_ended(*filter.state)) {
    return fix_input(std::string(kReasonInvalidQuery), "asked for ended tasks that are " +
                                                           std::string(to_string(*filter.state)) +
                                                           ", which none is");
  }
  return Status::ok();
}

bool may_match(const TaskFilter& filter, Phase phase) {
  const bool ended = phase == Phase::kEnded;
  if (filter.ended_only && !ended) return false;
  if (!filter.state) return true;
  return ended ? is_ended(*filter.state) : *filter.state == state_of(phase);
}

Query list_query(const TaskFilter& filter, Phase phase, const std::optional<Cursor>& after,
                 std::size_t limit) {
  const bool ended = phase == Phase::kEnded;
  const bool by_label = !filter.labels.empty() && filter.id_prefix.size() < kNarrowPrefixLength;
  Builder builder;
  choose_index(filter, ended, builder);
  builder.where(ended ? "t.ended_at IS NOT NULL" : "t.ended_at IS NULL");
  if (!ended) builder.where("t.state = ?", static_cast<std::int64_t>(state_of(phase)));
  if (ended && filter.state) builder.where("t.state = ?", static_cast<std::int64_t>(*filter.state));
  if (filter.queue) builder.where("t.queue = ?", filter.queue->value);
  if (filter.owner) builder.where("t.owner = ?", filter.owner->value);
  for (const auto& [name, value] : filter.labels) {
    builder.where(
        "EXISTS (SELECT 1 FROM labels o WHERE o.name = ? AND o.value = ? AND "
        "o.ended_at = IFNULL(t.ended_at, 0) AND o.task = t.key)",
        name, value);
  }
  if (!filter.id_prefix.empty()) {
    const std::string prefix = upper_case(filter.id_prefix);
    builder.where("t.id >= ? AND t.id < ?", prefix, after_prefix(prefix));
  }
  const std::string at = !ended ? "t.submitted_at" : by_label ? "l.ended_at" : "t.ended_at";
  if (filter.since) builder.where(at + " >= ?", milliseconds(*filter.since));
  if (filter.until) builder.where(at + " < ?", milliseconds(*filter.until));
  const std::string key = by_label ? "l.task" : "t.key";
  if (after && ended)
    builder.where("(" + at + ", " + key + ") < (?, ?)", after->ended_at, after->key);
  if (after && !ended) builder.where(key + " < ?", after->key);
  return builder.order_by(ended ? at + " DESC, " + key + " DESC" : key + " DESC", limit);
}

}  // namespace assay::history
