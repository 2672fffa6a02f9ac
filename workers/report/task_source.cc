#include "workers/report/task_source.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace assay::report {
namespace {

// Results of 12 MiB each must fit into one message.
constexpr std::size_t kResultsAtOnce = 1;

class BrokerSource : public TaskSource {
 public:
  explicit BrokerSource(ClientOptions options) : client_(std::move(options)) {}
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

std::unique_ptr<TaskSource> broker_source(const std::string& endpoint, const std::string& key_file,
                                          const std::string& server_key) {
  ClientOptions options;
  options.endpoint = endpoint;
  options.name = "assay-report";
  options.notice = [](std::string_view) {};
  options.key_file = key_file;
  options.server_key = server_key;
  return std::make_unique<BrokerSource>(std::move(options));
}

}  // namespace assay::report
