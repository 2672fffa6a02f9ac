// Asks the history. A reader has a connection of its own and sees a consistent state of the moment
// of each query, whatever the writer does; neither waits for the other. A query looks at the disk:
// never ask on the broker's loop.
#ifndef ASSAY_BROKER_HISTORY_READER_H_
#define ASSAY_BROKER_HISTORY_READER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "assay/ids.h"
#include "assay/status.h"
#include "broker/history/limits.h"
#include "broker/history/rows.h"
#include "broker/history/sqlite.h"

namespace assay::history {

inline constexpr std::string_view kReasonInvalidQuery = "invalid_query";   // kFixInput
inline constexpr std::string_view kReasonUnknownTask = "unknown_task";     // kNotFound
inline constexpr std::string_view kReasonAmbiguous = "ambiguous_task_id";  // kFixInput

// Which tasks; what is not given does not matter.
struct TaskFilter {
  std::optional<TaskState> state;
  bool ended_only = false;
  std::optional<QueueName> queue;
  std::optional<OwnerName> owner;
  std::map<std::string, std::string> labels;  // all of them
  // By the time of the end; tasks that have not ended, by the time of their submission.
  std::optional<Time> since;  // at or after
  std::optional<Time> until;  // before
  std::string id_prefix;      // either case; at least core::kIdPrefixLengthMin characters
};

struct TaskPage {
  std::vector<TaskRow> tasks;
  std::string next;  // the cursor of the next page; empty: this is the last
};

// Which tasks of a list that goes over all of them, the newest first; what is empty does not
// matter.
struct NewestFilter {
  std::vector<TaskState> states;  // any of them
  QueueName queue;
  OwnerName owner;
  std::map<std::string, std::string> labels;  // all of them
  std::optional<Time> since;                  // submitted at or after
  std::optional<Time> until;                  // submitted before
  // Only those behind this place: submitted before that, or then and with a smaller id.
  std::optional<std::pair<Time, TaskId>> after;
};

struct NewestPage {
  std::vector<TaskRow> tasks;
  bool complete = true;  // false: there are more
};

struct EventFilter {
  std::uint64_t after = 0;  // sequences over this
  std::vector<TaskId> tasks;
  QueueName queue;
  Time since{};
};

struct EventPage {
  std::vector<FeedEvent> events;  // in order
  bool complete = true;           // false: there are more
  std::uint64_t through = 0;      // all records up to this sequence were looked at
  std::uint64_t oldest = 0;       // the oldest event kept; 0: none is
};

struct UsageFilter {
  std::optional<OwnerName> owner;
  std::optional<QueueName> queue;
  std::optional<Day> since;  // that day and later
  std::optional<Day> until;  // before that day
  // What to tell apart.
  bool by_owner = false;
  bool by_queue = false;
  bool by_day = false;
};

// Thread: one at a time.
class Reader {
 public:
  // Errors: kReasonUnreachable (there is none yet, too), kReasonDamaged, kReasonVersion,
  // kReasonForeign.
  static Result<Reader> open(const std::string& path);

  // Those that run first, then the queued, the waiting, then the ended; of each, the latest first.
  // `cursor` is empty, or the `next` of the page before. `limit` is 1 to kPageRowsMax. Errors:
  // kReasonInvalidQuery, kReasonTooLong, those of Database.
  Result<TaskPage> list(const TaskFilter& filter, std::size_t limit,
                        const std::string& cursor = {});

  // Tasks of all states, the latest submitted first. Errors: as list().
  Result<NewestPage> newest(const NewestFilter& filter, std::size_t limit);
  // When the task was submitted; nothing when it is not known. Errors: those of Database.
  Result<std::optional<Time>> submitted_at(const TaskId& id);
  // Changes of tasks' states, as the feed told them. Errors: as list().
  Result<EventPage> events(const EventFilter& filter, std::size_t limit);

  // One task by its id, or a prefix of it that fits no other, in either case, with all its
  // attempts. Errors: kReasonUnknownTask, kReasonAmbiguous, kReasonInvalidQuery, those of Database.
  Result<TaskStory> task(std::string_view id_prefix);

  // Sums of the days, owners and queues that the filter tells apart, in this order; at most
  // kPageRowsMax of them. Errors: kReasonInvalidQuery (there are more: ask for less), as list().
  Result<std::vector<UsageRow>> usage(const UsageFilter& filter);

  // How many tasks a queue has in a state: all that have not ended, and those that ended in
  // `since` .. `until`. Errors: as list().
  Result<std::vector<CountRow>> counts(std::optional<Time> since, std::optional<Time> until);

  // The journal's batch up to which everything is here, as the answers have it.
  Result<std::uint64_t> position();

  // How long a query may take; two seconds unless set.
  void set_patience(Duration patience) { patience_ = patience; }

 private:
  explicit Reader(Database database) : database_(std::move(database)) {}
  Status add_details(std::int64_t key, TaskStory& story);
  void begin() { database_.set_deadline(std::chrono::steady_clock::now() + patience_); }

  Database database_;
  Duration patience_{2000};
};

}  // namespace assay::history

#endif  // ASSAY_BROKER_HISTORY_READER_H_
