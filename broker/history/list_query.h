// Turns a filter into SQL that is served by one index. A list goes through four phases, each a
// query of its own: running, queued, waiting, ended tasks. Must not know: connections.
#ifndef ASSAY_BROKER_HISTORY_LIST_QUERY_H_
#define ASSAY_BROKER_HISTORY_LIST_QUERY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "assay/status.h"
#include "broker/history/reader.h"

namespace assay::history {

enum class Phase : std::uint8_t { kRunning, kQueued, kWaiting, kEnded };
inline constexpr std::uint8_t kPhaseCount = 4;

// The last row of a page; the next page begins behind it.
struct Cursor {
  Phase phase = Phase::kRunning;
  std::int64_t ended_at = 0;  // 0 before the end
  std::int64_t key = 0;

  std::string text() const;
  static std::optional<Cursor> parse(std::string_view text);
};

struct Query {
  std::string sql;  // answers kTaskColumns
  std::vector<std::variant<std::int64_t, std::string>> values;
};

// Ok, or what is wrong with it: kReasonInvalidQuery.
Status check(const TaskFilter& filter);
// Whether a task in this phase can pass the filter at all.
bool may_match(const TaskFilter& filter, Phase phase);
// `after`: only rows behind it; it is of this phase.
Query list_query(const TaskFilter& filter, Phase phase, const std::optional<Cursor>& after,
                 std::size_t limit);

// The ids that begin with `prefix` lie from its upper case up to before this.
std::string after_prefix(std::string_view upper_case_prefix);
std::string upper_case(std::string_view text);

}  // namespace assay::history

#endif  // ASSAY_BROKER_HISTORY_LIST_QUERY_H_
