// What cleanup asks the broker, as a narrow interface: tests give it a broker of their own.
#ifndef ASSAY_WORKERS_CLEANUP_BROKER_VIEW_H_
#define ASSAY_WORKERS_CLEANUP_BROKER_VIEW_H_

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "assay/client.h"

namespace assay::cleanup {

class BrokerView {
 public:
  virtual ~BrokerView() = default;
  // Errors of all: those of assay::Client.
  virtual Result<std::vector<std::string>> references(std::span<const std::string> hashes) = 0;
  virtual Result<TaskList> list(ListRequest request) = 0;
  virtual Result<TaskInfo> status(const TaskId& id) = 0;
  virtual Result<std::uint64_t> forget(std::span<const TaskId> ids) = 0;
};

// The broker at its clients' endpoint, with keys as in ClientOptions.
std::unique_ptr<BrokerView> broker_view(const std::string& endpoint, const std::string& key_file,
                                        const std::string& server_key);

}  // namespace assay::cleanup

#endif  // ASSAY_WORKERS_CLEANUP_BROKER_VIEW_H_
