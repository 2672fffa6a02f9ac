#include "workers/eval/executor/kubernetes/log_follow.h"

namespace assay::eval::kubernetes {
namespace {

// A follow that says nothing for so long is begun again: the stream may be dead without a word.
constexpr Milliseconds kSilence{60'000};
// Asked for again when a follow is resumed: clocks differ, and lines take time to arrive.
constexpr std::int64_t kOverlapSeconds = 30;
constexpr std::uint32_t kRestReadsMax = 3;
constexpr Milliseconds kRestPatience{60'000};

}  // namespace

LogFollow::LogFollow(Loop& loop, Api& api, std::string path, OnText on_text, OnEnd on_end)
    : loop_(loop),
      api_(api),
      path_(std::move(path)),
      on_text_(std::move(on_text)),
      on_end_(std::move(on_end)) {}

LogFollow::~LogFollow() {
  *alive_ = false;
  if (stream_ != 0) api_.end_stream(stream_);
}

void LogFollow::start() {
  if (started_) return;
  started_ = true;
  if (ended_) return read_rest(true);
  follow();
}

void LogFollow::container_ended() {
  if (ended_) return;
  ended_ = true;
  // A follow ends by itself when the container has; if it has ended already, read what is left.
  if (started_ && stream_ == 0) read_rest(false);
}

void LogFollow::follow() {
  ApiStream stream;
  stream.verb = "log";
  stream.resource = "pods";
  stream.path = path_ + "&follow=true";
  whole_ = frames_.frames() == 0 || frames_.gap();
  if (!whole_) {
    const auto since = std::chrono::ceil<std::chrono::seconds>(Loop::Clock::now() - asked_at_);
    stream.path += "&sinceSeconds=" + std::to_string(since.count() + kOverlapSeconds);
  }
  frames_.restart();
  asked_at_ = Loop::Clock::now();
  stream.silence = kSilence;
  stream.on_bytes = [this, alive = alive_](const std::string& bytes) {
    if (*alive) on_bytes(bytes);
  };
  stream.done = [this, alive = alive_](const Result<http::Response>& result) {
    if (*alive) on_follow_end(result);
  };
  stream_ = api_.stream(std::move(stream));
}

void LogFollow::on_bytes(const std::string& bytes) {
  failures_ = 0;
  std::string text = frames_.add(bytes);
  if (!text.empty()) on_text_(std::move(text));
  if (frames_.gap() && stream_ != 0) api_.end_stream(stream_);
}

void LogFollow::on_follow_end(const Result<http::Response>& result) {
  stream_ = 0;
  if (ended_) return read_rest(frames_.gap());
  // The stream ended well: the container probably has too, and we are about to be told.
  const bool good = result.is_ok() && result->good();
  const Milliseconds wait = std::max(api_.backoff(failures_++), Milliseconds(good ? 300 : 100));
  loop_.post_after(wait, [this, alive = alive_] {
    if (!*alive || stream_ != 0 || over_ || reading_rest_) return;
    ended_ ? read_rest(false) : follow();
  });
}

void LogFollow::read_rest(bool from_beginning) {
  if (over_ || (reading_rest_ && !from_beginning)) return;
  reading_rest_ = true;
  ++rest_reads_;
  ApiRequest request;
  request.verb = "log";
  request.resource = "pods";
  request.path = path_;
  request.patience = kRestPatience;
  const bool whole = from_beginning || frames_.frames() == 0;
  if (!whole) {
    const auto since = std::chrono::ceil<std::chrono::seconds>(Loop::Clock::now() - asked_at_);
    request.path += "&sinceSeconds=" + std::to_string(since.count() + kOverlapSeconds);
  }
  frames_.restart();
  api_.call(std::move(request),
            [this, alive = alive_, whole](const Result<http::Response>& result) {
              if (!*alive) return;
              const bool good = result.is_ok() && result->good();
              if (good) on_bytes(result->body);
              const bool lacking = frames_.gap() || (!good && frames_.frames() == 0);
              if (lacking && !whole && rest_reads_ < kRestReadsMax) return read_rest(true);
              incomplete_ = !good || frames_.gap();
              finish();
            });
}

void LogFollow::finish() {
  if (over_) return;
  over_ = true;
  on_end_();
}

}  // namespace assay::eval::kubernetes
