#include "workers/report/task_source.h"

#include <algorithm>
#include <iterator>

namespace assay::report {
namespace {

// Results of 12 MiB each must fit into one message.
constexpr std::size_t kResultsAtOnce = 1;

class BrokerSource : public TaskSource {
 public:
  explicit BrokerSource(const std::string& endpoint)
      : client_({.endpoint = endpoint, .name = "assay-report", .notice = [](std::string_view) {}}) {
  }
  Result<TaskInfo> status(const TaskId& id) override { return client_.status(id.text()); }
  Result<std::vector<TaskInfo>> list(ListRequest request) override {
    Result<TaskList> list = client_.list(std::move(request));
    if (!list.is_ok()) return list.status();
    return std::move(list->tasks);
  }
  Result<std::vector<TaskResult>> results(std::span<const TaskId> ids) override {
    std::vector<TaskResult> out;
    for (std::size_t at = 0; at < ids.size(); at += kResultsAtOnce) {
      auto some = client_.results(ids.subspan(at, std::min(kResultsAtOnce, ids.size() - at)));
      if (!some.is_ok()) return some.status();
      std::move(some->begin(), some->end(), std::back_inserter(out));
    }
    return out;
  }

 private:
  Client client_;
};

}  // namespace

std::unique_ptr<TaskSource> broker_source(const std::string& endpoint) {
  return std::make_unique<BrokerSource>(endpoint);
}

}  // namespace assay::report
