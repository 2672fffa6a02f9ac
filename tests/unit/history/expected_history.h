// What a history must hold after a stream of records, found in the simplest way that there is; and
// what a history does hold, read in full.
#ifndef ASSAY_TESTS_UNIT_HISTORY_EXPECTED_HISTORY_H_
#define ASSAY_TESTS_UNIT_HISTORY_EXPECTED_HISTORY_H_

#include <map>
#include <string>
#include <vector>

#include "broker/history/reader.h"
#include "tests/unit/history/record_stream.h"

namespace assay::history::testing {

struct Content {
  std::map<TaskId, TaskStory> stories;
  std::vector<UsageRow> usage;  // by day, owner and queue
  // Ids in the order of a list: running, queued, waiting, then ended; the latest first.
  std::vector<TaskId> listed;
};

Content expected_content(const Stream& stream);
// Every row, through the queries.
Content content_of(const std::string& path);
// Fails the test where they differ, and says in what.
void expect_same(const Content& found, const Content& expected);

}  // namespace assay::history::testing

#endif  // ASSAY_TESTS_UNIT_HISTORY_EXPECTED_HISTORY_H_
