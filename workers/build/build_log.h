// What a build says, on its three ways: to the broker's feed, to a file that is kept, and its last
// lines for a failure's reason.
#ifndef ASSAY_WORKERS_BUILD_BUILD_LOG_H_
#define ASSAY_WORKERS_BUILD_BUILD_LOG_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <fstream>
#include <mutex>
#include <string>
#include <string_view>

#include "assay/worker.h"

namespace assay::image_build {

// Thread: any.
class BuildLog {
 public:
  // `path` is where all lines go, up to kFileBytesMax.
  BuildLog(TaskContext& context, const std::string& path);
  ~BuildLog();
  BuildLog(const BuildLog&) = delete;
  BuildLog& operator=(const BuildLog&) = delete;

  // Output as it comes, cut anywhere.
  void add(std::string_view bytes);
  void line(std::string_view text);
  // Sends what is gathered for the feed.
  void flush();

  std::uint64_t lines() const;
  // All that was said, or the end of it. Call flush() before.
  std::string tail() const;
  // The last lines that are not empty, the oldest first, with " | " between them.
  std::string last_lines() const;
  // Nothing that was said before belongs to the next failure.
  void forget_last_lines();

  static constexpr std::size_t kTailBytesMax = std::size_t{128} << 10;
  static constexpr std::uint64_t kFileBytesMax = 64ULL << 20;

 private:
  void end_line();
  void send();

  TaskContext& context_;
  mutable std::mutex mutex_;
  std::ofstream file_;
  std::uint64_t file_bytes_ = 0;
  std::uint64_t lines_ = 0;
  std::string unfinished_;
  std::string gathered_;
  std::string tail_;
  bool tail_cut_ = false;
  std::chrono::steady_clock::time_point sent_at_{};
  std::deque<std::string> last_;
};

}  // namespace assay::image_build

#endif  // ASSAY_WORKERS_BUILD_BUILD_LOG_H_
