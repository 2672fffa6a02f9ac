// What a report asks the broker, as a narrow interface: tests give it tasks of their own.
#ifndef ASSAY_WORKERS_REPORT_TASK_SOURCE_H_
#define ASSAY_WORKERS_REPORT_TASK_SOURCE_H_

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "assay/client.h"

namespace assay::report {

class TaskSource {
 public:
  virtual ~TaskSource() = default;
  // Errors of all three: those of assay::Client.
  virtual Result<TaskInfo> status(const TaskId& id) = 0;
  virtual Result<std::vector<TaskInfo>> list(ListRequest request) = 0;
  virtual Result<std::vector<TaskResult>> results(std::span<const TaskId> ids) = 0;
};

// The broker at its clients' endpoint, with keys as in ClientOptions.
std::unique_ptr<TaskSource> broker_source(const std::string& endpoint, const std::string& key_file,
                                          const std::string& server_key);

}  // namespace assay::report

#endif  // ASSAY_WORKERS_REPORT_TASK_SOURCE_H_
