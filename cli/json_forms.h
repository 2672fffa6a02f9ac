// Values as JSON for programs: one document without line ends each. The forms are a contract:
// fields are only added.
#ifndef ASSAY_CLI_JSON_FORMS_H_
#define ASSAY_CLI_JSON_FORMS_H_

#include <optional>
#include <string>
#include <vector>

#include "assay/message.h"
#include "assay/task.h"

namespace assay::cli {

// Times are UTC texts, durations seconds, names their texts, an absent value null.
std::string to_json(const TaskResult& result);
std::string to_json(const TaskInfo& task);
std::string to_json(const TaskList& list);
std::string to_json(const std::vector<UsageRow>& usage);
std::string to_json(const std::vector<TaskResult>& results);
std::string to_json(const std::vector<QueueInfo>& queues);
std::string to_json(const std::vector<WorkerInfo>& workers);
std::string to_json(const std::vector<ScheduleInfo>& schedules);
std::string to_json(const std::vector<QuarantineInfo>& quarantines);
std::string to_json(const FeedEvent& event);
std::string to_json(const Cancelled& cancelled);

// {"ids": [...]}
std::string to_json(const std::vector<TaskId>& ids);

// {"affected": n}: how many tasks an operation changed.
std::string affected_to_json(std::uint64_t tasks);

// {"name", "public", "key_file", "public_file"}
std::string key_to_json(const std::string& name, const std::string& public_key,
                        const std::string& key_file, const std::string& public_file);

// {"error": {...}}: what standard error says in words.
std::string to_json(const Status& status);

// What `assay up` is once it is ready.
struct Endpoints {
  std::string clients;
  std::string workers;
  std::string feed;
  std::string http;
};
std::string to_json(const Endpoints& endpoints, const std::string& directory);
// Reads what the broker writes when it is ready. Nothing when a text is missing.
std::optional<Endpoints> parse_endpoints(const std::string& text);

}  // namespace assay::cli

#endif  // ASSAY_CLI_JSON_FORMS_H_
