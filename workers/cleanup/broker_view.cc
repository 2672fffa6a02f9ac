#include "workers/cleanup/broker_view.h"

#include <utility>

namespace assay::cleanup {
namespace {

class RealView : public BrokerView {
 public:
  explicit RealView(ClientOptions options) : client_(std::move(options)) {}
  Result<std::vector<std::string>> references(std::span<const std::string> hashes) override {
    return client_.references(hashes);
  }
  Result<TaskList> list(ListRequest request) override { return client_.list(std::move(request)); }
  Result<TaskInfo> status(const TaskId& id) override { return client_.status(id.text()); }
  Result<std::uint64_t> forget(std::span<const TaskId> ids) override {
    return client_.operate(Operation::kForgetEnded, "", ids);
  }

 private:
  Client client_;
};

}  // namespace

std::unique_ptr<BrokerView> broker_view(const std::string& endpoint, const std::string& key_file,
                                        const std::string& server_key) {
  ClientOptions options;
  options.endpoint = endpoint;
  options.name = "assay-cleanup";
  options.notice = [](std::string_view) {};
  options.key_file = key_file;
  options.server_key = server_key;
  return std::make_unique<RealView>(std::move(options));
}

}  // namespace assay::cleanup
