// Counters, gauges and histograms of a program, and their text for Prometheus. Knows no socket.
#ifndef ASSAY_SDK_METRICS_REGISTRY_H_
#define ASSAY_SDK_METRICS_REGISTRY_H_

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace assay::metrics {

using Labels = std::vector<std::pair<std::string, std::string>>;

// A family is described once, and then its values are counted by labels. What was not described is
// not kept. At most `kSeriesMax` sets of labels a family: what comes later is counted as
// `other`. Thread: any.
class Registry {
 public:
  static constexpr std::size_t kSeriesMax = 1000;

  void counter(const std::string& name, const std::string& help);
  void gauge(const std::string& name, const std::string& help);
  // Upper bounds in seconds, ascending.
  void histogram(const std::string& name, const std::string& help, std::vector<double> bounds);
  // Called for each text(), to set gauges to what they are then.
  void before_text(std::function<void(Registry&)> refresh);

  void add(const std::string& name, const Labels& labels = {}, double amount = 1);
  void set(const std::string& name, const Labels& labels, double value);
  void observe(const std::string& name, double value, const Labels& labels = {});
  // The value of a counter or gauge now; 0 when it has none.
  double value(const std::string& name, const Labels& labels = {}) const;

  // The exposition format, version 0.0.4, in the order of names. Source: prometheus.io/docs.
  std::string text();

 private:
  enum class Kind { kCounter, kGauge, kHistogram };
  struct Series {
    double value = 0;  // a histogram's sum
    std::vector<std::uint64_t> buckets;
    std::uint64_t count = 0;
  };
  struct Family {
    Kind kind = Kind::kCounter;
    std::string help;
    std::vector<double> bounds;
    std::map<std::string, Series> series;  // by the text of its labels
  };

  void describe(const std::string& name, Family family);
  Series* find(const std::string& name, const Labels& labels);

  mutable std::mutex mutex_;
  std::map<std::string, Family> families_;
  std::vector<std::function<void(Registry&)>> refreshers_;
};

}  // namespace assay::metrics

#endif  // ASSAY_SDK_METRICS_REGISTRY_H_
