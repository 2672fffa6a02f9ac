// What is kept of a log of any length: its beginning and its end, and a mark between them. Pure.
#ifndef ASSAY_WORKERS_EVAL_MONITOR_LOG_WINDOW_H_
#define ASSAY_WORKERS_EVAL_MONITOR_LOG_WINDOW_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace assay::eval {

// "812 bytes", "3.1 MB": for people.
std::string bytes_text(std::uint64_t bytes);

class LogWindow {
 public:
  explicit LogWindow(std::size_t bytes_max) : half_(bytes_max / 2) {}
  void add(std::string_view bytes);
  // Head, "... 3.1 MB skipped ...", tail; the cuts are at ends of lines where there are any.
  std::string text() const;
  // The last bytes of it all, at most so many.
  std::string tail(std::size_t bytes_max) const;

 private:
  std::size_t half_;
  std::string head_;
  std::string tail_;  // up to twice half_, so that it is cut rarely
  std::uint64_t skipped_ = 0;
};

// Lets through so many bytes a second, in whole lines where it can; says how much it held back.
class LogThrottle {
 public:
  LogThrottle(std::size_t burst_bytes, std::size_t bytes_per_second)
      : burst_(burst_bytes),
        rate_(bytes_per_second),
        allowance_(static_cast<double>(burst_bytes)) {}
  // What of `bytes` may be passed on at `now`.
  std::string pass(std::string_view bytes, std::chrono::milliseconds now);
  // What has to be said at the end: a mark for what was held back last, or nothing.
  std::string flush();

 private:
  std::size_t burst_;
  std::size_t rate_;
  double allowance_;
  std::chrono::milliseconds last_{0};
  bool started_ = false;
  std::uint64_t skipped_ = 0;
};

}  // namespace assay::eval

#endif  // ASSAY_WORKERS_EVAL_MONITOR_LOG_WINDOW_H_
