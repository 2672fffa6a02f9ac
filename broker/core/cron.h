// Cron lines: when something is due. Pure: told a time and the zone's offsets, it answers the next.
//
// Five fields: minute (0-59), hour (0-23), day of the month (1-31), month (1-12 or jan-dec), day of
// the week (0-7 or sun-sat, 0 and 7 are Sunday). A field is *, a number, a range a-b, any of them
// with a step /n, or several with commas between. When both days are restricted, either is enough,
// as in cron(5). Also @hourly, @daily, @weekly, @monthly, @yearly.
#ifndef ASSAY_BROKER_CORE_CRON_H_
#define ASSAY_BROKER_CORE_CRON_H_

#include <bitset>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "assay/ids.h"
#include "assay/status.h"

namespace assay::core {

// What a zone's clocks are ahead of UTC, from a moment on until the next entry.
struct ZoneOffset {
  Time from;
  std::chrono::seconds ahead{0};
  friend bool operator==(const ZoneOffset&, const ZoneOffset&) = default;
};
// In order of time, the first from before everything that is asked. Empty: UTC.
using ZoneOffsets = std::vector<ZoneOffset>;

// Local clocks are put forward and back. A line that names hours is due once a day all the same:
// what falls into the hour that is skipped is due when the clocks have been put forward, and what
// falls into the hour that comes twice is due the first time. A line for every hour (*, */n)
// follows the clocks' hours as they come.
class Cron {
 public:
  Cron() = default;  // due never
  // Errors: `invalid_schedule` (fix_input): what is wrong with which field, or that it is never due
  // (31 February).
  static Result<Cron> parse(std::string_view line);

  // The first due time after `after`; nothing when there is none in the next nine years.
  std::optional<Time> next_after(Time after, const ZoneOffsets& zone) const;
  // The last due time after `after` and not after `until`.
  std::optional<Time> last_between(Time after, Time until, const ZoneOffsets& zone) const;

 private:
  // Local times as minutes since 1970 on the wall's clock and calendar.
  using Minutes = std::chrono::sys_time<std::chrono::minutes>;

  bool is_due_on(std::chrono::sys_days day) const;
  // The first match at or after `from` and before `before`.
  std::optional<Minutes> first_match(Minutes from, Minutes before) const;

  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;
  std::bitset<13> months_;
  std::bitset<7> weekdays_;
  bool any_day_ = true;  // of the month
  bool any_weekday_ = true;
  bool any_hour_ = true;
};

}  // namespace assay::core

#endif  // ASSAY_BROKER_CORE_CRON_H_
