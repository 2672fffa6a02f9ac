#include "broker/history/reader.h"

#include <utility>

#include "broker/history/list_query.h"
#include "broker/history/schema.h"
#include "broker/history/task_columns.h"

namespace assay::history {
namespace {

Status invalid(std::string what) {
  return fix_input(std::string(kReasonInvalidQuery), std::move(what));
}

Result<Statement> start(Database& database, const Query& query) {
  auto statement = database.prepare(query.sql);
  if (!statement.is_ok()) return statement;
  int index = 0;
  for (const auto& value : query.values) {
    std::visit([&](const auto& v) { statement->bind(++index, v); }, value);
  }
  return statement;
}

struct Found {
  TaskRow task;
  Cursor cursor;
};

Status add_rows(Database& database, const Query& query, Phase phase, std::vector<Found>& found) {
  auto rows = start(database, query);
  if (!rows.is_ok()) return rows.status();
  while (true) {
    const auto row = rows->next();
    if (!row.is_ok()) return row.status();
    if (!*row) return Status::ok();
    TaskRow task = task_in(*rows);
    const Time ended_at = task.ended_at.value_or(Time());
    found.push_back(
        {std::move(task), {phase, ended_at.time_since_epoch().count(), rows->integer(kKeyColumn)}});
  }
}

// "day, owner, queue" or what of it is told apart; a constant for the others.
std::string usage_sql(const UsageFilter& filter) {
  std::string sql = "SELECT ";
  sql += filter.by_day ? "day" : "NULL";
  sql += filter.by_owner ? ", owner" : ", NULL";
  sql += filter.by_queue ? ", queue" : ", NULL";
  sql +=
      ", SUM(tasks), SUM(failed), SUM(cancelled), SUM(attempts), SUM(wall_ms), SUM(cpu_seconds), "
      "SUM(memory_byte_seconds), SUM(gpu_seconds) FROM usage WHERE day >= ? AND day < ? AND "
      "(?3 IS NULL OR owner = ?3) AND (?4 IS NULL OR queue = ?4) GROUP BY 1, 2, 3 "
      "ORDER BY 1, 2, 3 LIMIT ?5";
  return sql;
}

std::int64_t number(std::optional<Day> day, std::int64_t otherwise) {
  return day ? day->time_since_epoch().count() : otherwise;
}

UsageRow usage_in(const Statement& row) {
  UsageRow usage;
  if (!row.is_null(0)) usage.day = Day(std::chrono::days(row.integer(0)));
  if (!row.is_null(1)) usage.owner = OwnerName(row.text(1));
  if (!row.is_null(2)) usage.queue = QueueName(row.text(2));
  usage.tasks = row.natural(3);
  usage.failed = row.natural(4);
  usage.cancelled = row.natural(5);
  usage.attempts = row.natural(6);
  usage.wall_seconds = static_cast<double>(row.integer(7)) / 1000;
  usage.cpu_seconds = row.real(8);
  usage.memory_byte_seconds = row.real(9);
  usage.gpu_seconds = row.real(10);
  return usage;
}

}  // namespace

Result<Reader> Reader::open(const std::string& path) {
  auto database = Database::open(path, Access::kRead);
  if (!database.is_ok()) return database.status();
  if (Status status = check_version(*database); !status.is_ok()) {
    return std::move(status).with_context(path);
  }
  return Reader(std::move(*database));
}

Result<TaskPage> Reader::list(const TaskFilter& filter, std::size_t limit,
                              const std::string& cursor) {
  if (limit == 0 || limit > kPageRowsMax) {
    return invalid("expected a page of 1 to " + std::to_string(kPageRowsMax) + " tasks, found " +
                   std::to_string(limit));
  }
  if (Status status = check(filter); !status.is_ok()) return status;
  std::optional<Cursor> after;
  if (!cursor.empty()) {
    after = Cursor::parse(cursor);
    if (!after) return invalid("expected the cursor of an earlier page, found '" + cursor + "'");
  }
  begin();
  Transaction snapshot(database_);
  if (Status status = snapshot.begin_reading(); !status.is_ok()) return status;
  std::vector<Found> found;
  // One more than asked for tells whether there is another page.
  for (auto number = static_cast<std::uint8_t>(after ? after->phase : Phase::kRunning);
       number < kPhaseCount && found.size() <= limit; ++number) {
    const Phase phase{number};
    if (may_match(filter, phase)) {
      const bool is_first = after && after->phase == phase;
      const Query query =
          list_query(filter, phase, is_first ? after : std::nullopt, limit + 1 - found.size());
      Status status = add_rows(database_, query, phase, found);
      if (!status.is_ok()) return status;
    }
  }
  TaskPage page;
  if (found.size() > limit) {
    found.pop_back();
    page.next = found.back().cursor.text();
  }
  for (Found& each : found) page.tasks.push_back(std::move(each.task));
  return page;
}

Result<TaskStory> Reader::task(std::string_view id_prefix) {
  if (id_prefix.empty()) return invalid("expected a task's id, found nothing");
  TaskFilter filter;
  filter.id_prefix = id_prefix;
  if (Status status = check(filter); !status.is_ok()) return status;
  begin();
  Transaction snapshot(database_);
  if (Status status = snapshot.begin_reading(); !status.is_ok()) return status;
  const std::string prefix = upper_case(id_prefix);
  const std::string end = after_prefix(prefix);
  auto tasks = database_.prepare("SELECT " + std::string(kTaskColumns) +
                                 " FROM tasks t INDEXED BY tasks_by_id WHERE t.id >= ? AND "
                                 "t.id < ? ORDER BY t.id LIMIT 2");
  if (!tasks.is_ok()) return tasks.status();
  tasks->start(prefix, end);
  auto row = tasks->next();
  if (!row.is_ok()) return row.status();
  if (!*row) {
    return not_found(std::string(kReasonUnknownTask),
                     "history knows no task whose id begins with " + prefix);
  }
  TaskStory story{.task = task_in(*tasks), .attempts = {}, .result = {}};
  const std::int64_t key = tasks->integer(kKeyColumn);
  row = tasks->next();
  if (!row.is_ok()) return row.status();
  if (*row) {
    return fix_input(std::string(kReasonAmbiguous), "more than one task's id begins with " +
                                                        prefix + ": " + story.task.id.text() +
                                                        " and " + tasks->text(1) + ", for example");
  }
  if (Status status = add_details(key, story); !status.is_ok()) return status;
  return story;
}

Status Reader::add_details(std::int64_t key, TaskStory& story) {
  auto attempts = database_.prepare("SELECT " + std::string(kAttemptColumns) +
                                    " FROM attempts WHERE task = ? ORDER BY number");
  if (!attempts.is_ok()) return attempts.status();
  attempts->start(key);
  auto row = attempts->next();
  for (; row.is_ok() && *row; row = attempts->next())
    story.attempts.push_back(attempt_in(*attempts));
  if (!row.is_ok()) return row.status();

  auto result = database_.prepare("SELECT bytes FROM results WHERE task = ?");
  if (!result.is_ok()) return result.status();
  result->start(key);
  row = result->next();
  if (row.is_ok() && *row) story.result = result->text(0);
  return row.status();
}

Result<std::vector<UsageRow>> Reader::usage(const UsageFilter& filter) {
  begin();
  auto rows = database_.prepare(usage_sql(filter));
  if (!rows.is_ok()) return rows.status();
  std::optional<std::string> owner, queue;
  if (filter.owner) owner = filter.owner->value;
  if (filter.queue) queue = filter.queue->value;
  rows->start(number(filter.since, INT32_MIN), number(filter.until, INT32_MAX), owner, queue,
              std::int64_t{kPageRowsMax + 1});
  std::vector<UsageRow> usage;
  while (true) {
    const auto row = rows->next();
    if (!row.is_ok()) return row.status();
    if (!*row) break;
    usage.push_back(usage_in(*rows));
  }
  if (usage.size() > kPageRowsMax) {
    return invalid("more than " + std::to_string(kPageRowsMax) +
                   " sums; name an owner, a queue or fewer days");
  }
  return usage;
}

Result<std::vector<CountRow>> Reader::counts(std::optional<Time> since, std::optional<Time> until) {
  begin();
  auto rows = database_.prepare(
      "SELECT queue, state, COUNT(*) FROM tasks INDEXED BY tasks_live WHERE ended_at IS NULL "
      "GROUP BY queue, state UNION ALL "
      "SELECT queue, state, COUNT(*) FROM tasks INDEXED BY tasks_by_end WHERE ended_at IS NOT NULL "
      "AND ended_at >= ? AND ended_at < ? GROUP BY queue, state ORDER BY 1, 2");
  if (!rows.is_ok()) return rows.status();
  rows->start(since.value_or(Time::min()), until.value_or(Time::max()));
  std::vector<CountRow> counts;
  while (true) {
    const auto row = rows->next();
    if (!row.is_ok()) return row.status();
    if (!*row) return counts;
    counts.push_back({.queue = QueueName(rows->text(0)),
                      .state = static_cast<TaskState>(rows->integer(1)),
                      .tasks = rows->natural(2)});
  }
}

Result<std::uint64_t> Reader::position() {
  begin();
  const auto position = database_.number("SELECT position FROM meta");
  if (!position.is_ok()) return position.status();
  return static_cast<std::uint64_t>(position.value());
}

}  // namespace assay::history
