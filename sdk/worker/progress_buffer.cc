#include "sdk/worker/progress_buffer.h"

#include <algorithm>
#include <utility>

#include "sdk/wire/limits.h"
#include "sdk/worker/text.h"

namespace assay::worker {
namespace {

// The beginning of `text` that fits, up to the end of a line if there is one in it.
std::string_view lines_prefix(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  const std::size_t end = text.substr(0, bytes_max + 1).rfind('\n');
  if (end != std::string_view::npos && end > 0) return text.substr(0, end);
  return text_prefix(text, bytes_max);
}

}  // namespace

void ProgressBuffer::on_progress(std::uint64_t done, std::uint64_t total, std::string text) {
  ProgressReport report;
  report.done = done;
  report.total = total;
  report.text = fit_text(std::move(text));
  progress_ = std::move(report);
}

void ProgressBuffer::refill(transport::Instant now) {
  const auto milliseconds = static_cast<std::size_t>(std::max((now - refilled_at_).count(), 0L));
  const std::size_t bytes = milliseconds * (kLogBytesPerSecondMax / 1000);
  if (bytes == 0) return;
  refilled_at_ = now;
  allowance_ = std::min(allowance_ + bytes, kLogBurstBytesMax);
}

void ProgressBuffer::append_line(std::string_view line) {
  if (!log_.empty()) log_ += '\n';
  log_ += line;
}

void ProgressBuffer::mark_cut() {
  if (cut_bytes_ == 0) return;
  append_line("[assay: " + std::to_string(cut_bytes_) + " bytes of log cut here, over " +
              std::to_string(kLogBytesPerSecondMax) + " bytes a second]");
  cut_bytes_ = 0;
}

void ProgressBuffer::on_log(std::string_view lines, transport::Instant now) {
  refill(now);
  // Before the text is looked at, so that a flood costs no more than what is kept of it.
  const std::string_view kept = lines_prefix(lines, allowance_);
  if (kept.empty() && !lines.empty()) {
    cut_bytes_ += lines.size();
    return;
  }
  mark_cut();
  allowance_ -= kept.size();
  append_line(valid_text(std::string(kept)));
  cut_bytes_ += lines.size() - kept.size();
}

void ProgressBuffer::on_safety(std::string text) {
  if (safety_.size() < kSafetyRemarksMax) {
    safety_.push_back(fit_text(std::move(text)));
  } else {
    ++safety_cut_;
  }
}

std::vector<ProgressReport> ProgressBuffer::take(const TaskId& id, Attempt attempt) {
  std::vector<ProgressReport> reports;
  auto add = [&](EventKind kind, std::string text) {
    ProgressReport& report = reports.emplace_back();
    report.kind = kind;
    report.text = std::move(text);
  };
  mark_cut();
  for (std::string_view rest = log_; !rest.empty();) {
    const std::string_view part = lines_prefix(rest, wire::kTextBytesMax);
    add(EventKind::kLog, std::string(part));
    rest.remove_prefix(part.size());
    if (!rest.empty() && rest.front() == '\n') rest.remove_prefix(1);
  }
  if (progress_) reports.push_back(std::move(*progress_));
  for (std::string& text : safety_) add(EventKind::kSafety, std::move(text));
  if (safety_cut_ != 0) {
    add(EventKind::kSafety, std::to_string(safety_cut_) + " more remarks of safety rules");
  }
  for (ProgressReport& report : reports) {
    report.id = id;
    report.attempt = attempt;
  }
  progress_.reset();
  log_.clear();
  safety_.clear();
  safety_cut_ = 0;
  return reports;
}

}  // namespace assay::worker
