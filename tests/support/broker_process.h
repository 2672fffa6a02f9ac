// A real assay-broker on ports of its own, killed and started again over the same data.
#ifndef ASSAY_TESTS_SUPPORT_BROKER_PROCESS_H_
#define ASSAY_TESTS_SUPPORT_BROKER_PROCESS_H_

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/process.h"

namespace assay::support {

class BrokerProcess {
 public:
  // `flags` are added to the command, which is an argument of `wrapper` where there is one. Data
  // and log lie in `folder`. Starts it.
  explicit BrokerProcess(std::filesystem::path folder, std::vector<std::string> flags = {},
                         std::vector<std::string> wrapper = {});

  // Starts it where it was before: the same ports, the same data. It is ready when this returns.
  void start();
  void kill() { process_->kill(); }
  Process& process() { return *process_; }

  const std::string& clients() const { return clients_; }
  const std::string& workers() const { return workers_; }
  const std::string& feed() const { return feed_; }
  const std::string& http() const { return http_; }
  std::filesystem::path data() const { return folder_ / "data"; }
  std::filesystem::path log() const { return folder_ / "broker.log"; }

 private:
  std::filesystem::path folder_;
  std::vector<std::string> flags_;
  std::vector<std::string> wrapper_;
  std::optional<Process> process_;
  std::string clients_ = "tcp://127.0.0.1:*";
  std::string workers_ = "tcp://127.0.0.1:*";
  std::string feed_ = "tcp://127.0.0.1:*";
  std::string http_ = "127.0.0.1:0";
};

// The body of an HTTP answer to GET http://`address``path`; empty when there is none.
std::string http_get(const std::string& address, const std::string& path);

}  // namespace assay::support

#endif  // ASSAY_TESTS_SUPPORT_BROKER_PROCESS_H_
