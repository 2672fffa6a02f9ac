#include "broker/history/history.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "broker/history/schema.h"

namespace assay::history {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr Duration kRetryAfterMax{60'000};
// On a busy machine the broker's loop comes first.
constexpr int kNiceness = 10;

Status closing() {
  return {Code::kRetryCall, "history_closing", "the history is being closed"};
}

Time system_now() {
  return std::chrono::floor<Duration>(std::chrono::system_clock::now());
}

HistoryOptions with_defaults(HistoryOptions options) {
  if (!options.now) options.now = system_now;
  if (!options.on_status) options.on_status = [](const Status&) {};
  return options;
}

bool may_pass(const Status& failure) {
  switch (failure.code()) {
    case Code::kRetryCall:
    case Code::kRetryLater:
    case Code::kExhausted:
    case Code::kInternal:
      return true;
    default:
      return false;
  }
}

}  // namespace

Result<std::unique_ptr<History>> History::open(HistoryOptions options) {
  auto opened = open_for_writing(options.path);
  if (!opened.is_ok()) return opened.status();
  auto database = std::make_unique<Database>(std::move(*opened));
  auto projection = Projection::open(*database, options.journal_id, options.last_sequence);
  if (!projection.is_ok()) return projection.status().with_context(options.path);
  std::unique_ptr<History> history(
      new History(with_defaults(std::move(options)), std::move(database), std::move(*projection)));
  history->writer_ = std::thread([raw = history.get()] { raw->run(); });
  return history;
}

History::History(HistoryOptions options, std::unique_ptr<Database> database, Projection projection)
    : options_(std::move(options)),
      database_(std::move(database)),
      projection_(std::move(projection)),
      taken_(options_.offered_bytes_max, options_.offered_records_max),
      retry_after_(options_.retry_after),
      offered_(options_.offered_bytes_max, options_.offered_records_max),
      durable_(options_.last_sequence) {
  counters_.position = projection_.position();
  counters_.ended_tasks = projection_.ended_tasks();
}

History::~History() {
  close();
}

void History::close() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (writer_.joinable()) writer_.join();
}

void History::offer(std::uint64_t sequence, std::span<const journal::Entry> entries) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    durable_ = sequence;
    offered_records_ += entries.size();
    if (behind_ || ended_) return;
    const bool was_empty = offered_.is_empty();
    const bool was_large = offered_.records() >= kTransactionRecordsMax;
    behind_ = !offered_.add(sequence, entries);
    if (behind_) ++counters_.gaps;
    const bool is_large = offered_.records() >= kTransactionRecordsMax;
    wake = was_empty || behind_ || (is_large && !was_large);
  }
  if (wake) wake_.notify_one();
}

void History::offer_by_journal(std::uint64_t sequence) {
  {
    const std::lock_guard lock(mutex_);
    durable_ = sequence;
    if (behind_ || ended_) return;
    behind_ = true;
    ++counters_.gaps;
  }
  wake_.notify_one();
}

bool History::wait_for(std::uint64_t sequence, Duration patience) {
  std::unique_lock lock(mutex_);
  committed_.wait_for(lock, patience, [&] { return ended_ || counters_.position >= sequence; });
  return counters_.position >= sequence;
}

Status History::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

HistoryCounters History::counters() const {
  const std::lock_guard lock(mutex_);
  HistoryCounters counters = counters_;
  counters.lag_batches = durable_ - std::min(durable_, counters.position);
  counters.lag_records = offered_records_ - settled_records_;
  return counters;
}

void History::run() {
  pthread_setname_np(pthread_self(), "history");
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNiceness);
  try {
    write();
  } catch (const std::exception& error) {
    tell(internal_error(std::string(kReasonFailed), error.what()));
  }
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    offered_.clear();
  }
  committed_.notify_all();
}

void History::write() {
  while (wait_for_work()) {
    Status status = turn();
    if (status.is_ok()) status = retain();
    if (status.is_ok()) {
      tell(status);
      retry_after_ = options_.retry_after;
    } else if (!must_stop() && !recover(status)) {
      return;
    }
  }
  // What was offered last. Behind a gap it can't be taken; the journal has it.
  if (!gap_) static_cast<void>(turn());
}

bool History::wait_for_work() {
  std::unique_lock lock(mutex_);
  const auto has_work = [&] { return must_stop() || behind_ || !offered_.is_empty(); };
  if (!gap_ && !retention_goes_on_) wake_.wait_until(lock, next_retention_, has_work);
  // Wait for more, unless there is enough, or nothing to wait for.
  if (!gap_ && !retention_goes_on_ && !offered_.is_empty()) {
    wake_.wait_for(lock, options_.commit_every, [&] {
      return must_stop() || behind_ || offered_.records() >= kTransactionRecordsMax;
    });
  }
  return !must_stop();
}

Status History::turn() {
  bool behind = false;
  std::uint64_t through = 0;
  std::uint64_t records = 0;
  taken_.clear();
  {
    const std::lock_guard lock(mutex_);
    std::swap(offered_, taken_);
    behind = std::exchange(behind_, false);
    through = durable_;
    records = offered_records_;
  }
  // Everything offered from here on is in offered_ again, or sets behind_ again.
  Status status = take_all(std::exchange(gap_, true), behind, through);
  if (!status.is_ok() && must_stop() && projection_.is_dirty()) {
    static_cast<void>(commit());  // as far as it came
  }
  if (!status.is_ok()) {
    projection_.discard();
    return status;
  }
  gap_ = false;
  const std::lock_guard lock(mutex_);
  settled_records_ = records;
  return status;
}

// Everything up to `through`. Behind a gap what was taken is of no use: the journal has it too.
Status History::take_all(bool gap, bool behind, std::uint64_t through) {
  if (!gap) {
    Status status =
        taken_.for_each([this](std::uint64_t sequence, std::span<const EntryBytes> entries) {
          return apply(sequence, entries);
        });
    if (!status.is_ok()) return status;
  }
  if (gap || behind) {
    if (Status status = replay(through); !status.is_ok()) return status;
  }
  return commit();
}

Status History::replay(std::uint64_t through) {
  const auto lost =
      options_.replay(projection_.position(), through,
                      [this](std::uint64_t sequence, std::span<const EntryBytes> entries) {
                        return must_stop() ? closing() : apply(sequence, entries);
                      });
  if (!lost.is_ok()) return lost.status();
  projection_.advance(through);
  const std::lock_guard lock(mutex_);
  counters_.lost_batches += lost.value();
  return Status::ok();
}

Status History::apply(std::uint64_t sequence, std::span<const EntryBytes> entries) {
  Status status = projection_.apply(sequence, entries);
  return status.is_ok() && projection_.is_full() ? commit() : status;
}

Status History::commit() {
  Status status = projection_.commit();
  if (!status.is_ok()) return status;
  {
    const std::lock_guard lock(mutex_);
    counters_.position = projection_.position();
    counters_.records = projection_.counters().records;
    counters_.transactions = projection_.counters().transactions;
    counters_.orphans = projection_.counters().orphans;
    counters_.ended_tasks = projection_.ended_tasks();
  }
  committed_.notify_all();
  return status;
}

bool History::recover(const Status& failure) {
  tell(failure);
  projection_.discard();
  if (!may_pass(failure)) return false;
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, retry_after_, [this] { return must_stop(); });
  retry_after_ = std::min(retry_after_ * 2, kRetryAfterMax);
  return true;
}

void History::tell(const Status& status) {
  {
    const std::lock_guard lock(mutex_);
    if (status.reason() == status_.reason()) return;
    status_ = status;
  }
  options_.on_status(status);
}

}  // namespace assay::history
