// The queries that go over all tasks and events in the order in which they came.
#include <algorithm>
#include <array>

#include "broker/history/list_query.h"
#include "broker/history/reader.h"
#include "broker/history/task_columns.h"

namespace assay::history {
namespace {

// One answer to a subscriber is at most about so large; it asks again for the rest.
constexpr std::size_t kEventBytesPerPageMax = 8 << 20;

std::int64_t milliseconds(Time at) {
  return at.time_since_epoch().count();
}

// Conditions and their values in the order of the text.
struct Conditions {
  std::string sql;
  std::vector<std::variant<std::int64_t, std::string>> values;

  void add(std::string_view condition,
           std::initializer_list<std::variant<std::int64_t, std::string>> more) {
    sql += sql.empty() ? " WHERE " : " AND ";
    sql += condition;
    values.insert(values.end(), more.begin(), more.end());
  }
};

Conditions conditions_of(const NewestFilter& filter) {
  Conditions where;
  if (!filter.owner.value.empty()) where.add("t.owner = ?", {filter.owner.value});
  if (!filter.queue.value.empty()) where.add("t.queue = ?", {filter.queue.value});
  if (!filter.states.empty()) {
    std::string states = "t.state IN (";
    for (const TaskState state : filter.states)
      states += std::to_string(static_cast<int>(state)) + ",";
    states.back() = ')';
    where.add(states, {});
  }
  for (const auto& [name, value] : filter.labels) {
    where.add(
        "EXISTS (SELECT 1 FROM labels o WHERE o.name = ? AND o.value = ? AND "
        "o.ended_at = IFNULL(t.ended_at, 0) AND o.task = t.key)",
        {name, value});
  }
  if (filter.since) where.add("t.submitted_at >= ?", {milliseconds(*filter.since)});
  if (filter.until) where.add("t.submitted_at < ?", {milliseconds(*filter.until)});
  if (filter.after) {
    where.add("t.submitted_at <= ? AND (t.submitted_at, t.id) < (?, ?)",
              {milliseconds(filter.after->first), milliseconds(filter.after->first),
               filter.after->second.text()});
  }
  return where;
}

Result<Statement> start(Database& database, const std::string& sql,
                        const std::vector<std::variant<std::int64_t, std::string>>& values) {
  auto statement = database.prepare(sql);
  if (!statement.is_ok()) return statement;
  int index = 0;
  for (const auto& value : values) {
    std::visit([&](const auto& v) { statement->bind(++index, v); }, value);
  }
  return statement;
}

FeedEvent event_in(const Statement& row) {
  FeedEvent event;
  event.sequence = row.natural(0);
  event.previous = row.natural(1);
  event.at = row.time(2);
  event.kind = EventKind::kState;
  event.task = TaskId::parse(row.text(3)).value_or(TaskId());
  event.queue = QueueName(row.text(4));
  event.state = static_cast<TaskState>(row.integer(5));
  event.attempt = Attempt{static_cast<std::uint32_t>(row.integer(6))};
  event.worker = WorkerName(row.text(7));
  event.text = row.text(8);
  return event;
}

// The sequences of the events of the tasks asked for, each found from the one after it.
std::string story_sql(const EventFilter& filter) {
  if (filter.tasks.empty()) return {};
  std::string ids;
  for (std::size_t i = 0; i < filter.tasks.size(); ++i) ids += i == 0 ? "?" : ",?";
  return "WITH RECURSIVE story (at) AS (SELECT last_sequence FROM tasks WHERE id IN (" + ids +
         ") UNION SELECT e.previous FROM story JOIN events e ON e.sequence = story.at "
         "WHERE e.previous > ?) ";
}

std::vector<std::variant<std::int64_t, std::string>> story_values(const EventFilter& filter) {
  std::vector<std::variant<std::int64_t, std::string>> values;
  if (filter.tasks.empty()) return values;
  for (const TaskId& id : filter.tasks) values.emplace_back(id.text());
  values.emplace_back(static_cast<std::int64_t>(filter.after));
  return values;
}

}  // namespace

Result<NewestPage> Reader::newest(const NewestFilter& filter, std::size_t limit) {
  if (limit == 0 || limit > kPageRowsMax) {
    return fix_input(std::string(kReasonInvalidQuery),
                     "expected a page of 1 to " + std::to_string(kPageRowsMax) + " tasks, found " +
                         std::to_string(limit));
  }
  begin();
  const Conditions where = conditions_of(filter);
  // The index has the order of the list, so a page costs what lies in it and what the filter skips.
  const std::string_view index =
      filter.owner.value.empty() ? "tasks_by_submission" : "tasks_by_owner_submission";
  const std::string sql =
      "SELECT " + std::string(kTaskColumns) + " FROM tasks t INDEXED BY " + std::string(index) +
      where.sql + " ORDER BY t.submitted_at DESC, t.id DESC LIMIT " + std::to_string(limit + 1);
  auto rows = start(database_, sql, where.values);
  if (!rows.is_ok()) return rows.status();
  NewestPage page;
  while (true) {
    const auto row = rows->next();
    if (!row.is_ok()) return row.status();
    if (!*row) return page;
    if (page.tasks.size() == limit) {
      page.complete = false;
      return page;
    }
    page.tasks.push_back(task_in(*rows));
  }
}

Result<std::optional<Time>> Reader::submitted_at(const TaskId& id) {
  begin();
  auto rows = database_.prepare("SELECT submitted_at FROM tasks WHERE id = ?");
  if (!rows.is_ok()) return rows.status();
  const std::string text = id.text();  // bound, not copied
  rows->start(text);
  const auto row = rows->next();
  if (!row.is_ok()) return row.status();
  return *row ? std::optional(rows->time(0)) : std::nullopt;
}

Result<EventPage> Reader::events(const EventFilter& filter, std::size_t limit) {
  begin();
  Transaction snapshot(database_);
  if (Status status = snapshot.begin_reading(); !status.is_ok()) return status;
  EventPage page;
  const auto through = database_.number("SELECT record_sequence FROM meta");
  if (!through.is_ok()) return through.status();
  page.through = static_cast<std::uint64_t>(*through);
  const auto oldest = database_.number("SELECT IFNULL(MIN(sequence), 0) FROM events");
  if (!oldest.is_ok()) return oldest.status();
  page.oldest = static_cast<std::uint64_t>(*oldest);

  Conditions where;
  where.values = story_values(filter);
  where.add("sequence > ?", {static_cast<std::int64_t>(filter.after)});
  if (!filter.tasks.empty()) where.add("sequence IN story", {});
  if (!filter.queue.value.empty()) where.add("queue = ?", {filter.queue.value});
  if (filter.since != Time()) where.add("at >= ?", {milliseconds(filter.since)});
  auto rows = start(database_,
                    story_sql(filter) +
                        "SELECT sequence, previous, at, task, queue, state, attempt, worker, text "
                        "FROM events" +
                        where.sql + " ORDER BY sequence LIMIT " + std::to_string(limit + 1),
                    where.values);
  if (!rows.is_ok()) return rows.status();
  std::size_t bytes = 0;
  while (true) {
    const auto row = rows->next();
    if (!row.is_ok()) return row.status();
    if (!*row) return page;
    if (page.events.size() == limit || bytes > kEventBytesPerPageMax) {
      page.complete = false;
      return page;
    }
    page.events.push_back(event_in(*rows));
    bytes += sizeof(FeedEvent) + page.events.back().text.size();
  }
}

}  // namespace assay::history
