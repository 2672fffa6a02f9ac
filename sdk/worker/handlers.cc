#include "sdk/worker/handlers.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <utility>

#include "sdk/transport/instant.h"
#include "sdk/worker/progress_buffer.h"

namespace assay::worker {
namespace {

// A task that takes less is not worth waking a thread for.
constexpr std::chrono::microseconds kShort{50};
constexpr Duration kLookEvery{1};
// Ends of short tasks that the loop is told of together, while there is more to do.
constexpr std::size_t kFinishedAtOnce = 64;

}  // namespace

// One task in the hands of a handler: what the handler sees of it.
class Handlers::Running final : public TaskContext {
 public:
  Running(Handlers& handlers, TaskAssignment assignment)
      : handlers_(handlers),
        task_(std::move(assignment)),
        key_{task_.id, task_.attempt},
        buffer_(transport::now()) {}

  void progress(std::uint64_t done, std::uint64_t total, std::string text) override {
    tell([&] { buffer_.on_progress(done, total, std::move(text)); });
  }
  void log(std::string lines) override {
    tell([&] { buffer_.on_log(lines, transport::now()); });
  }
  void safety(std::string text) override {
    tell([&] { buffer_.on_safety(std::move(text)); });
  }
  bool cancelled() const override { return stop_reason() != StopReason::kNone; }
  StopReason stop_reason() const override { return reason_.load(std::memory_order_acquire); }

  bool wait_cancelled(Duration at_most) override {
    std::unique_lock lock(mutex_);
    stopped_.wait_for(lock, at_most, [this] { return cancelled(); });
    return cancelled();
  }

  void stop(StopReason reason) {
    const std::scoped_lock lock(mutex_);
    // That the task is lost outweighs the rest: nobody wants its report any more.
    if (!cancelled() || reason == StopReason::kLost) {
      reason_.store(reason, std::memory_order_release);
    }
    stopped_.notify_all();
  }

  std::vector<ProgressReport> take() {
    const std::scoped_lock lock(mutex_);
    announced_ = false;
    return buffer_.take(task_.id, task_.attempt);
  }

  const TaskAssignment& task() const { return task_; }
  const HeldAttempt& key() const { return key_; }

 private:
  template <typename Change>
  void tell(Change change) {
    {
      const std::scoped_lock lock(mutex_);
      change();
      if (std::exchange(announced_, true)) return;
    }
    handlers_.announce(key_);
  }

  Handlers& handlers_;
  const TaskAssignment task_;
  const HeldAttempt key_;
  std::atomic<StopReason> reason_{StopReason::kNone};
  std::mutex mutex_;
  std::condition_variable stopped_;
  ProgressBuffer buffer_;
  bool announced_ = false;  // the loop knows that there is something to take
};

Handlers::Handlers(TaskHandler handler, std::uint32_t threads_max, std::function<void()> wake)
    : handler_(std::move(handler)),
      threads_max_(threads_max),
      wake_(std::move(wake)),
      task_takes_(kShort) {}

Handlers::~Handlers() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  tasks_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Handlers::start(std::vector<TaskAssignment> tasks) {
  const std::scoped_lock lock(mutex_);
  for (TaskAssignment& task : tasks) {
    auto running = std::make_unique<Running>(*this, std::move(task));
    queue_.push_back(running.get());
    const HeldAttempt key = running->key();
    running_.emplace(key, std::move(running));
  }
  if (threads_.empty() || task_takes_ >= kShort) summon();
  tasks_.notify_one();  // it wakes the next, if tasks are long
}

void Handlers::summon() {
  while (queue_.size() > idle_ && threads_.size() < threads_max_) {
    threads_.emplace_back([this] { work(); });
    ++idle_;  // it is on its way
  }
}

void Handlers::work() {
  std::unique_lock lock(mutex_);
  decltype(running_)::node_type done;
  for (;;) {
    tasks_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    Running* running = queue_.front();
    queue_.pop_front();
    --idle_;
    ++taken_;
    if (!queue_.empty() && idle_ > 0 && task_takes_ >= kShort) tasks_.notify_one();
    lock.unlock();
    done = {};  // the one before, outside the lock

    const auto begin = std::chrono::steady_clock::now();
    Finished finished{.report = run(*running), .rest = running->take()};
    const auto took = std::chrono::steady_clock::now() - begin;

    lock.lock();
    take_measure(took);
    done = running_.extract(running->key());
    const std::size_t waiting = news_.finished.size();
    news_.finished.push_back(std::move(finished));
    ++idle_;
    // The loop was woken for the first end that it has not taken yet, or is woken for all of them.
    const bool hold_back = task_takes_ < kShort && !queue_.empty();
    const bool is_told = told_;
    told_ = told_ || !hold_back || waiting + 1 >= kFinishedAtOnce;
    if (told_ && !is_told) wake_();
  }
}

// A moving average over about eight tasks.
void Handlers::take_measure(std::chrono::nanoseconds took) {
  task_takes_ += (took - task_takes_) / 8;
}

transport::Instant Handlers::look_at() const {
  const std::scoped_lock lock(mutex_);
  const bool all_told = news_.finished.empty() || told_;
  if (queue_.empty() && all_told) return transport::kNever;
  return transport::later(transport::now(), kLookEvery);
}

void Handlers::look_after(transport::Instant now) {
  const std::scoped_lock lock(mutex_);
  if (queue_.empty() || now < transport::later(looked_at_, kLookEvery)) return;
  looked_at_ = now;
  const bool nobody_came = std::exchange(taken_, 0) == 0;
  if (!nobody_came) return;
  task_takes_ = std::max<std::chrono::nanoseconds>(task_takes_, kShort);
  summon();
  tasks_.notify_one();
}

TaskReport Handlers::run(Running& running) {
  TaskOutcome outcome;
  if (running.cancelled()) {
    outcome = TaskOutcome::cancelled();  // before it had begun
  } else {
    try {
      outcome = handler_(running.task(), running);
    } catch (const std::exception& error) {
      outcome = TaskOutcome::failed(error.what());
    } catch (...) {
      outcome = TaskOutcome::failed("the handler threw something that is not an exception");
    }
  }
  TaskReport report;
  report.id = running.task().id;
  report.attempt = running.task().attempt;
  report.outcome = outcome.outcome;
  report.cause = outcome.cause;
  report.reason = std::move(outcome.reason);
  report.delay = outcome.delay;
  report.result = std::move(outcome.result);
  report.usage = outcome.usage;
  report.artifacts = std::move(outcome.artifacts);
  return report;
}

void Handlers::announce(const HeldAttempt& held) {
  const std::scoped_lock lock(mutex_);
  news_.progressed.push_back(held);
  if (!std::exchange(told_, true)) wake_();
}

void Handlers::stop(const HeldAttempt& held, StopReason reason) {
  const std::scoped_lock lock(mutex_);
  const auto found = running_.find(held);
  if (found != running_.end()) found->second->stop(reason);
}

std::vector<ProgressReport> Handlers::collect(const HeldAttempt& held) {
  const std::scoped_lock lock(mutex_);
  const auto found = running_.find(held);
  if (found == running_.end()) return {};
  return found->second->take();
}

News Handlers::take_news() {
  const std::scoped_lock lock(mutex_);
  told_ = false;
  return std::exchange(news_, {});
}

}  // namespace assay::worker
