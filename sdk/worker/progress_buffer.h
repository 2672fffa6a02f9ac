// What a running task wants to tell, merged until it is collected: the latest progress, log lines
// joined, safety remarks. Pure: bounded whatever a task writes, and told the time.
#ifndef ASSAY_SDK_WORKER_PROGRESS_BUFFER_H_
#define ASSAY_SDK_WORKER_PROGRESS_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "assay/message.h"
#include "sdk/transport/instant.h"

namespace assay::worker {

// How much log a task may send: this many bytes at once, and so many more each second.
inline constexpr std::size_t kLogBurstBytesMax = std::size_t{256} << 10;
inline constexpr std::size_t kLogBytesPerSecondMax = std::size_t{64} << 10;
inline constexpr std::size_t kSafetyRemarksMax = 32;  // between two collections

// Thread: one at a time.
class ProgressBuffer {
 public:
  explicit ProgressBuffer(transport::Instant now) : refilled_at_(now) {}

  void on_progress(std::uint64_t done, std::uint64_t total, std::string text);
  // What exceeds the rate is cut, and a line in its place says how much.
  void on_log(std::string_view lines, transport::Instant now);
  void on_safety(std::string text);

  bool empty() const { return !progress_ && log_.empty() && cut_bytes_ == 0 && safety_.empty(); }

  // Everything so far as reports of which each keeps the wire's limits; empty afterwards.
  std::vector<ProgressReport> take(const TaskId& id, Attempt attempt);

 private:
  void refill(transport::Instant now);
  void append_line(std::string_view line);
  void mark_cut();

  std::optional<ProgressReport> progress_;
  std::string log_;
  std::vector<std::string> safety_;
  std::size_t safety_cut_ = 0;
  std::size_t cut_bytes_ = 0;
  std::size_t allowance_ = kLogBurstBytesMax;
  transport::Instant refilled_at_;
};

}  // namespace assay::worker

#endif  // ASSAY_SDK_WORKER_PROGRESS_BUFFER_H_
