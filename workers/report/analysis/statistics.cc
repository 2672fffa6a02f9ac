#include "workers/report/analysis/statistics.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace assay::report {
namespace {

constexpr double kNormal975 = 1.959963984540054;

}  // namespace

double t_quantile_975(double degrees) {
  if (degrees < 1) degrees = 1;
  // Exact for one and two degrees; Hill's expansion for more.
  if (degrees < 1.5) return std::tan(std::numbers::pi * 0.475);
  if (degrees < 2.5) return std::sqrt(2 / (0.05 * (2 - 0.05)) - 2);
  const double a = 1 / (degrees - 0.5);
  const double b = 48 / (a * a);
  double c = ((20700 * a / b - 98) * a - 16) * a + 96.36;
  const double d = ((94.5 / (b + c) - 3) / b + 1) * std::sqrt(a * std::numbers::pi / 2) * degrees;
  double y = std::pow(d * 0.05, 2 / degrees);
  if (y > 0.05 + a) {
    const double x = -kNormal975;
    y = x * x;
    if (degrees < 5) c += 0.3 * (degrees - 4.5) * (x + 0.6);
    c = (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b + c;
    y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x;
    y = std::expm1(a * y * y);
  } else {
    y = ((1 / (((degrees + 6) / (degrees * y) - 0.089 * d - 0.822) * (degrees + 2) * 3) +
          0.5 / (degrees + 4)) *
             y -
         1) *
            (degrees + 1) / (degrees + 2) +
        1 / y;
  }
  return std::sqrt(degrees * y);
}

Estimate estimate(const std::vector<double>& values) {
  Estimate out;
  out.count = values.size();
  if (values.empty()) return out;
  double sum = 0;
  for (const double value : values) sum += value;
  const auto count = static_cast<double>(values.size());
  out.mean = sum / count;
  if (values.size() < 2) return out;
  double squares = 0;
  for (const double value : values) squares += (value - out.mean) * (value - out.mean);
  out.deviation = std::sqrt(squares / (count - 1));
  const double reach = t_quantile_975(count - 1) * out.deviation / std::sqrt(count);
  out.interval = Interval{out.mean - reach, out.mean + reach};
  return out;
}

Estimate difference(const Estimate& one, const Estimate& other) {
  Estimate out;
  out.count = std::min(one.count, other.count);
  out.mean = one.mean - other.mean;
  if (one.count < 2 || other.count < 2) return out;
  const double a = one.deviation * one.deviation / static_cast<double>(one.count);
  const double b = other.deviation * other.deviation / static_cast<double>(other.count);
  double reach = 0;
  if (a + b > 0) {
    const double degrees =
        (a + b) * (a + b) /
        (a * a / static_cast<double>(one.count - 1) + b * b / static_cast<double>(other.count - 1));
    reach = t_quantile_975(degrees) * std::sqrt(a + b);
  }
  out.interval = Interval{out.mean - reach, out.mean + reach};
  return out;
}

Interval share(std::uint64_t good, std::uint64_t count) {
  if (count == 0) return {0, 1};
  const auto n = static_cast<double>(count);
  const double p = static_cast<double>(good) / n;
  const double z2 = kNormal975 * kNormal975;
  const double middle = (p + z2 / (2 * n)) / (1 + z2 / n);
  const double reach = kNormal975 / (1 + z2 / n) * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  return {std::max(0.0, middle - reach), std::min(1.0, middle + reach)};
}

double mcnemar(std::uint64_t worse, std::uint64_t better) {
  const std::uint64_t n = worse + better;
  if (n == 0) return 1;
  const std::uint64_t fewer = std::min(worse, better);
  // Terms of the binomial distribution by their logarithms: n may be large.
  double sum = 0;
  for (std::uint64_t k = 0; k <= fewer; ++k) {
    sum += std::exp(
        std::lgamma(static_cast<double>(n) + 1) - std::lgamma(static_cast<double>(k) + 1) -
        std::lgamma(static_cast<double>(n - k) + 1) - static_cast<double>(n) * std::numbers::ln2);
  }
  return std::min(1.0, 2 * sum);
}

double percentile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  if (below + 1 >= sorted.size()) return sorted.back();
  const double part = place - static_cast<double>(below);
  return sorted[below] + part * (sorted[below + 1] - sorted[below]);
}

}  // namespace assay::report
