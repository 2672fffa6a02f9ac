// What the broker shows over HTTP: Prometheus metrics and the JSON of its queues, from the core's
// state as it is.
#ifndef ASSAY_BROKER_NET_METRICS_H_
#define ASSAY_BROKER_NET_METRICS_H_

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "broker/core/broker_core.h"
#include "broker/history/history.h"
#include "broker/net/storage.h"

namespace assay::net {

// A Prometheus histogram of seconds, with buckets from 100 µs to about 100 s.
class SecondsHistogram {
 public:
  void observe(double seconds);
  // Lines for one series. `labels` is empty or `queue="eval"`.
  void print(const std::string& name, const std::string& labels, std::string& out) const;

 private:
  static constexpr std::array<double, 16> kBounds{
      0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.01, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 100};
  std::array<std::uint64_t, kBounds.size() + 1> counts_{};
  double sum_ = 0;
  std::uint64_t count_ = 0;
};

// What is measured on the way, beside what the core counts.
struct Measured {
  SecondsHistogram flush_seconds;
  std::map<std::string, SecondsHistogram> wait_seconds;  // by queue: from submitted to first lease
  std::map<std::string, SecondsHistogram> duration_seconds;  // by queue: from leased to ended
  std::map<std::string, std::uint64_t> rejected;             // by reason: what the routers refused
  std::uint64_t dropped_unread = 0;                          // messages for peers that don't read
  std::map<std::string, std::uint64_t> connections_refused;  // by reason: lack of a known key
};

// docs: the names are in the contract with users; they are never renamed.
std::string prometheus_text(const core::BrokerCore& core, const Measured& measured,
                            const StorageCounters& storage, Time now);
// The history's part of them.
std::string prometheus_text(const history::HistoryCounters& history);
// One object, as KEDA's metrics-api scaler reads it.
std::string queue_json(const QueueInfo& queue);
std::string queues_json(const std::vector<QueueInfo>& queues);

}  // namespace assay::net

#endif  // ASSAY_BROKER_NET_METRICS_H_
