// Simple statistics, pure. Sources: Student's t (Hill, "Student's t-quantiles", CACM 13, 1970),
// Wilson's score interval, McNemar's exact test, Welch's interval for two means.
#ifndef ASSAY_WORKERS_REPORT_ANALYSIS_STATISTICS_H_
#define ASSAY_WORKERS_REPORT_ANALYSIS_STATISTICS_H_

#include <cstdint>
#include <optional>
#include <vector>

namespace assay::report {

struct Interval {
  double low = 0;
  double high = 0;
};

// A mean with its 95 % confidence interval, which one value alone does not have.
struct Estimate {
  std::size_t count = 0;
  double mean = 0;
  double deviation = 0;  // of the sample
  std::optional<Interval> interval;
};

// The value that Student's t with so many degrees of freedom exceeds with a chance of 2.5 %.
double t_quantile_975(double degrees);

Estimate estimate(const std::vector<double>& values);

// The difference of two means (`one` minus `other`) with its interval, if both have at least two
// values or neither varies.
Estimate difference(const Estimate& one, const Estimate& other);

// 95 % of a share: `good` of `count`.
Interval share(std::uint64_t good, std::uint64_t count);

// The chance that so uneven a split of changes, or a more uneven one, comes from chance alone.
double mcnemar(std::uint64_t worse, std::uint64_t better);

// The value below which `share` (0 to 1) of the values lie, linear between neighbours; `sorted`.
double percentile(const std::vector<double>& sorted, double share);

}  // namespace assay::report

#endif  // ASSAY_WORKERS_REPORT_ANALYSIS_STATISTICS_H_
