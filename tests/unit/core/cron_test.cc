// Cron lines as a table: what they mean, what is refused, and when they are due over leap days and
// clocks that are put forward and back.
#include "broker/core/cron.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>

namespace assay::core {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// "2024-02-29 03:30" as UTC.
Time at(const std::string& text) {
  int year = 0;
  unsigned month = 0, day = 0, hour = 0, minute = 0;
  EXPECT_EQ(std::sscanf(text.c_str(), "%d-%u-%u %u:%u", &year, &month, &day, &hour, &minute), 5);
  return Time(std::chrono::sys_days(std::chrono::year(year) / month / day)) + hours(hour) +
         minutes(minute);
}

std::string text(std::optional<Time> time) {
  if (!time) return "never";
  const auto day = std::chrono::floor<std::chrono::days>(*time);
  const std::chrono::year_month_day date(day);
  const auto of_day = std::chrono::duration_cast<seconds>(*time - day).count();
  char out[40];
  std::snprintf(out, sizeof out, "%04d-%02u-%02u %02d:%02d", int(date.year()),
                unsigned(date.month()), unsigned(date.day()), int(of_day / 3600),
                int(of_day / 60 % 60));
  return out;
}

std::string next(const std::string& line, const std::string& after, const ZoneOffsets& zone = {}) {
  const auto cron = Cron::parse(line);
  if (!cron.is_ok()) return cron.status().message();
  return text(cron->next_after(at(after), zone));
}

// As central Europe in 2024: forward on 31 March at 01:00 UTC, back on 27 October at 01:00 UTC.
ZoneOffsets berlin() {
  return {{Time::min(), hours(1)},
          {at("2024-03-31 01:00"), hours(2)},
          {at("2024-10-27 01:00"), hours(1)}};
}

struct Row {
  const char* line;
  const char* after;
  const char* due;
};

TEST(Cron, IsDueWhenItsFieldsSay) {
  for (const Row& row :
       std::vector<Row>{{"0 3 * * *", "2024-05-01 02:59", "2024-05-01 03:00"},
                        {"0 3 * * *", "2024-05-01 03:00", "2024-05-02 03:00"},
                        {"* * * * *", "2024-05-01 23:59", "2024-05-02 00:00"},
                        {"*/15 * * * *", "2024-05-01 10:46", "2024-05-01 11:00"},
                        {"7-20/5 * * * *", "2024-05-01 10:12", "2024-05-01 10:17"},
                        {"50/5 * * * *", "2024-05-01 10:51", "2024-05-01 10:55"},
                        {"0 0,12 * * *", "2024-05-01 00:00", "2024-05-01 12:00"},
                        {"30 4 1 jan *", "2024-05-01 00:00", "2025-01-01 04:30"},
                        {"0 9 * * MON-fri", "2024-05-03 09:00", "2024-05-06 09:00"},
                        {"0 0 * * 7", "2024-05-01 00:00", "2024-05-05 00:00"},
                        {"0 0 * * 0", "2024-05-01 00:00", "2024-05-05 00:00"},
                        {"0 0 31 * *", "2024-04-01 00:00", "2024-05-31 00:00"},
                        // Two restricted days are alternatives.
                        {"0 0 13 * 5", "2024-05-01 00:00", "2024-05-03 00:00"},
                        {"0 0 13 * 5", "2024-05-10 00:00", "2024-05-13 00:00"},
                        {"@hourly", "2024-05-01 10:00", "2024-05-01 11:00"},
                        {"@daily", "2024-05-01 10:00", "2024-05-02 00:00"},
                        {"@weekly", "2024-05-01 10:00", "2024-05-05 00:00"},
                        {"@monthly", "2024-12-01 10:00", "2025-01-01 00:00"},
                        {"@yearly", "2024-05-01 10:00", "2025-01-01 00:00"}}) {
    EXPECT_EQ(next(row.line, row.after), row.due) << row.line << " after " << row.after;
  }
}

TEST(Cron, KnowsLeapDays) {
  EXPECT_EQ(next("0 0 29 2 *", "2023-01-01 00:00"), "2024-02-29 00:00");
  EXPECT_EQ(next("0 0 29 2 *", "2024-02-29 00:00"), "2028-02-29 00:00");
  EXPECT_EQ(next("0 0 29 2 *", "2096-03-01 00:00"), "2104-02-29 00:00") << "2100 is no leap year";
  EXPECT_EQ(next("0 0 28 2 *", "2024-02-28 00:00"), "2025-02-28 00:00");
}

TEST(Cron, RefusesWhatIsNoneAndSaysWhichField) {
  struct Case {
    const char* line;
    const char* said;
  };
  for (const Case& one : std::vector<Case>{{"", "expected five fields"},
                                           {"* * * *", "expected five fields"},
                                           {"* * * * * *", "expected five fields"},
                                           {"@often", "expected five fields"},
                                           {"60 * * * *", "minute: expected"},
                                           {"-1 * * * *", "minute: expected"},
                                           {"1,,2 * * * *", "minute: expected"},
                                           {"*/0 * * * *", "minute: expected"},
                                           {"5-1 * * * *", "minute: expected"},
                                           {"1-2-3 * * * *", "minute: expected"},
                                           {"99999999999 * * * *", "minute: expected"},
                                           {"* 24 * * *", "hour: expected"},
                                           {"* * 0 * *", "day of the month: expected"},
                                           {"* * 32 * *", "day of the month: expected"},
                                           {"* * * 13 *", "month: expected"},
                                           {"* * * smarch *", "month: expected"},
                                           {"* * * * 8", "day of the week: expected"},
                                           {"0 0 31 2 *", "never due"},
                                           {"0 0 30 2 *", "never due"},
                                           {"0 0 31 4,6,9,11 *", "never due"}}) {
    const auto cron = Cron::parse(one.line);
    ASSERT_FALSE(cron.is_ok()) << one.line;
    EXPECT_EQ(cron.status().reason(), "invalid_schedule");
    EXPECT_THAT(cron.status().message(), testing::HasSubstr(one.said)) << one.line;
  }
  EXPECT_FALSE(Cron::parse(std::string(10'000, '*')).is_ok());
}

TEST(Cron, FollowsTheClocksOfItsZone) {
  EXPECT_EQ(next("0 3 * * *", "2024-01-10 00:00", berlin()), "2024-01-10 02:00");
  EXPECT_EQ(next("0 3 * * *", "2024-07-10 00:00", berlin()), "2024-07-10 01:00");
}

TEST(Cron, WhatFallsIntoASkippedHourIsDueWhenTheClocksAreForward) {
  // 02:30 does not exist on 31 March.
  EXPECT_EQ(next("30 2 * * *", "2024-03-30 12:00", berlin()), "2024-03-31 01:00");
  EXPECT_EQ(next("30 2 * * *", "2024-03-31 01:00", berlin()), "2024-04-01 00:30");
  // Every hour: there is one hour less that day.
  EXPECT_EQ(next("30 * * * *", "2024-03-31 00:30", berlin()), "2024-03-31 01:30");
}

TEST(Cron, WhatFallsIntoARepeatedHourIsDueTheFirstTimeOnly) {
  // 02:30 comes at 00:30 and at 01:30 UTC on 27 October.
  EXPECT_EQ(next("30 2 * * *", "2024-10-26 12:00", berlin()), "2024-10-27 00:30");
  EXPECT_EQ(next("30 2 * * *", "2024-10-27 00:30", berlin()), "2024-10-28 01:30");
  EXPECT_EQ(next("0 3 * * *", "2024-10-27 00:30", berlin()), "2024-10-27 02:00");
  // Every hour: there is one hour more.
  EXPECT_EQ(next("30 * * * *", "2024-10-27 00:30", berlin()), "2024-10-27 01:30");
}

TEST(Cron, TheLastOfManyMissedIsFoundAtOnce) {
  const Cron cron = *Cron::parse("* * * * *");
  EXPECT_EQ(text(cron.last_between(at("1990-01-01 00:00"), at("2024-05-01 10:00"), {})),
            "2024-05-01 10:00");
  const Cron yearly = *Cron::parse("@yearly");
  EXPECT_EQ(text(yearly.last_between(at("1990-01-01 00:00"), at("2024-05-01 10:00"), {})),
            "2024-01-01 00:00");
  EXPECT_EQ(text(yearly.last_between(at("2024-01-01 00:00"), at("2024-05-01 10:00"), {})), "never");
  EXPECT_EQ(text(yearly.last_between(at("2024-05-01 10:00"), at("2024-01-01 00:00"), {})), "never");
}

}  // namespace
}  // namespace assay::core
