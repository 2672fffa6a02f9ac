#include "workers/build/build_log.h"

#include "workers/build/docker/message_stream.h"

namespace assay::image_build {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kLineBytesMax = 4096;
constexpr std::size_t kGatheredBytesMax = std::size_t{16} << 10;
constexpr milliseconds kSendEvery{200};
constexpr std::size_t kLastLines = 6;
constexpr std::size_t kLastLineBytesMax = 300;

}  // namespace

BuildLog::BuildLog(TaskContext& context, const std::string& path)
    : context_(context), file_(path, std::ios::binary | std::ios::trunc) {}

BuildLog::~BuildLog() {
  flush();
}

void BuildLog::add(std::string_view bytes) {
  const std::scoped_lock lock(mutex_);
  for (const char c : bytes) {
    if (c == '\n' || c == '\r') {
      if (c == '\n' || !unfinished_.empty()) end_line();
    } else if (unfinished_.size() < kLineBytesMax) {
      unfinished_ += c;
    }
  }
}

void BuildLog::line(std::string_view text) {
  add(std::string(text) + "\n");
}

void BuildLog::flush() {
  const std::scoped_lock lock(mutex_);
  if (!unfinished_.empty()) end_line();
  send();
  file_.flush();
}

void BuildLog::end_line() {
  ++lines_;
  if (file_bytes_ < kFileBytesMax) {
    file_ << unfinished_ << '\n';
    file_bytes_ += unfinished_.size() + 1;
    if (file_bytes_ >= kFileBytesMax) file_ << "... the rest was too long to be kept\n";
  }
  // What the engine says between a step's own lines is no help to anybody.
  const bool engines_own = parse_step(unfinished_).has_value() ||
                           unfinished_.starts_with(" ---> ") ||
                           unfinished_.starts_with("Removing intermediate container ");
  if (!engines_own && unfinished_.find_first_not_of(" \t") != std::string::npos) {
    last_.push_back(unfinished_.substr(0, kLastLineBytesMax));
    if (last_.size() > kLastLines) last_.pop_front();
  }
  tail_ += unfinished_ + '\n';
  if (tail_.size() > 2 * kTailBytesMax) {
    tail_.erase(0, tail_.size() - kTailBytesMax);
    tail_cut_ = true;
  }
  if (!gathered_.empty()) gathered_ += '\n';
  gathered_ += unfinished_;
  unfinished_.clear();
  const bool due = steady_clock::now() - sent_at_ > kSendEvery;
  if (due || gathered_.size() > kGatheredBytesMax) send();
}

void BuildLog::send() {
  if (gathered_.empty()) return;
  context_.log(std::move(gathered_));
  gathered_.clear();
  sent_at_ = steady_clock::now();
}

std::uint64_t BuildLog::lines() const {
  const std::scoped_lock lock(mutex_);
  return lines_;
}

std::string BuildLog::tail() const {
  const std::scoped_lock lock(mutex_);
  if (!tail_cut_) return tail_;
  const std::size_t line = tail_.find('\n');
  return "... its beginning is in the kept log only\n" +
         tail_.substr(line == std::string::npos ? 0 : line + 1);
}

std::string BuildLog::last_lines() const {
  const std::scoped_lock lock(mutex_);
  std::string out;
  for (const std::string& one : last_) out += (out.empty() ? "" : " | ") + one;
  return out;
}

void BuildLog::forget_last_lines() {
  const std::scoped_lock lock(mutex_);
  last_.clear();
}

}  // namespace assay::image_build
