#include "workers/eval/executor/pod_events.h"

#include <utility>

namespace assay::eval {

std::size_t PodEvents::bytes_of(const PodEvent& event) {
  if (const auto* line = std::get_if<HarnessLine>(&event.what)) return line->line.size() + 64;
  if (const auto* log = std::get_if<SubjectLog>(&event.what)) return log->bytes.size() + 64;
  return 64;
}

void PodEvents::push(PodEvent event) {
  std::unique_lock lock(mutex_);
  if (!std::holds_alternative<PodEnded>(event.what)) {
    writable_.wait(lock, [&] { return closed_ || bytes_ < kBytesMax; });
  }
  if (closed_) return;
  bytes_ += bytes_of(event);
  events_.push_back(std::move(event));
  readable_.notify_one();
}

void PodEvents::push_now(PodEvent event) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  bytes_ += bytes_of(event);
  events_.push_back(std::move(event));
  readable_.notify_one();
}

bool PodEvents::full() const {
  const std::lock_guard lock(mutex_);
  return !closed_ && bytes_ >= kBytesMax;
}

std::vector<PodEvent> PodEvents::wait(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  readable_.wait_for(lock, timeout, [&] { return !events_.empty() || closed_; });
  bytes_ = 0;
  writable_.notify_all();
  return std::exchange(events_, {});
}

void PodEvents::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  events_.clear();
  writable_.notify_all();
  readable_.notify_all();
}

}  // namespace assay::eval
