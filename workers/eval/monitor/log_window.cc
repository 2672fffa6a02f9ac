#include "workers/eval/monitor/log_window.h"

#include <algorithm>
#include <cstdio>

namespace assay::eval {
namespace {

std::string mark(std::uint64_t skipped) {
  return "... " + bytes_text(skipped) + " skipped ...\n";
}

}  // namespace

std::string bytes_text(std::uint64_t bytes) {
  if (bytes < 1000) return std::to_string(bytes) + " bytes";
  const char* const units[] = {"kB", "MB", "GB", "TB"};
  double value = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  while (value >= 999.95 && unit < 3) value /= 1000, ++unit;
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %s", value, units[unit]);
  return text;
}

void LogWindow::add(std::string_view bytes) {
  const std::size_t to_head = std::min(bytes.size(), half_ - std::min(half_, head_.size()));
  head_.append(bytes.substr(0, to_head));
  bytes.remove_prefix(to_head);
  if (bytes.empty()) return;
  if (bytes.size() > half_) {
    skipped_ += tail_.size() + bytes.size() - half_;
    tail_.assign(bytes.substr(bytes.size() - half_));
    return;
  }
  tail_.append(bytes);
  if (tail_.size() > 2 * half_) {
    const std::size_t cut = tail_.size() - half_;
    skipped_ += cut;
    tail_.erase(0, cut);
  }
}

std::string LogWindow::text() const {
  if (skipped_ == 0 && tail_.size() <= half_) return head_ + tail_;
  std::string_view head = head_;
  std::string_view tail =
      std::string_view(tail_).substr(tail_.size() - std::min(half_, tail_.size()));
  std::uint64_t skipped = skipped_ + (tail_.size() - tail.size());
  // Half a line is worse than none, unless there is nothing else.
  if (const auto end = head.rfind('\n'); end != std::string_view::npos) {
    skipped += head.size() - (end + 1);
    head = head.substr(0, end + 1);
  }
  if (const auto begin = tail.find('\n');
      begin != std::string_view::npos && begin + 1 < tail.size()) {
    skipped += begin + 1;
    tail.remove_prefix(begin + 1);
  }
  std::string out(head);
  if (!out.empty() && out.back() != '\n') out += '\n';
  return out + mark(skipped) + std::string(tail);
}

std::string LogWindow::tail(std::size_t bytes_max) const {
  std::string all = tail_.size() < bytes_max ? head_ + tail_ : tail_;
  if (all.size() > bytes_max) all.erase(0, all.size() - bytes_max);
  return all;
}

std::string LogThrottle::pass(std::string_view bytes, std::chrono::milliseconds now) {
  if (started_) {
    const double gained =
        static_cast<double>((now - last_).count()) * static_cast<double>(rate_) / 1000;
    allowance_ = std::min(allowance_ + gained, static_cast<double>(burst_));
  }
  started_ = true;
  last_ = now;
  std::size_t fits = std::min(bytes.size(), static_cast<std::size_t>(allowance_));
  // After a gap, wait until a good piece may follow the mark.
  if (skipped_ > 0 && fits < std::min(bytes.size(), burst_ / 4)) fits = 0;
  if (fits < bytes.size()) {
    const auto end = bytes.substr(0, fits).rfind('\n');
    fits = end == std::string_view::npos ? 0 : end + 1;
  }
  std::string out;
  if (fits > 0) {
    if (skipped_ > 0) out = mark(skipped_);
    skipped_ = 0;
    out += bytes.substr(0, fits);
    allowance_ -= static_cast<double>(fits);
  }
  skipped_ += bytes.size() - fits;
  return out;
}

std::string LogThrottle::flush() {
  std::string out = skipped_ > 0 ? mark(skipped_) : std::string();
  skipped_ = 0;
  return out;
}

}  // namespace assay::eval
