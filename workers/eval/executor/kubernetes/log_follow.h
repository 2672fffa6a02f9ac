// One container's log, followed from its beginning to its end without a loss or a repeat, however
// often the connection breaks. The container writes frames (harness/frame.h), so what was missed is
// seen.
#ifndef ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_LOG_FOLLOW_H_
#define ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_LOG_FOLLOW_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "workers/eval/executor/kubernetes/api.h"
#include "workers/eval/harness/frame.h"

namespace assay::eval::kubernetes {

// Theory of operation. A following request stays open while the container runs. When it ends or
// falls silent, the next one asks for what was written since a little before; frames that are
// already there are passed over, a gap means reading all of it again. Once the container has ended,
// one last read that does not follow is the authority: after it, `on_end`.
// Thread: the loop's.
class LogFollow {
 public:
  using OnText = std::function<void(std::string text)>;  // whole or part lines, in order
  using OnEnd = std::function<void()>;

  LogFollow(Loop& loop, Api& api, std::string path, OnText on_text, OnEnd on_end);
  ~LogFollow();
  void start();
  // The container has ended: read the rest, and be done.
  void container_ended();
  bool over() const { return over_; }
  // The last read failed for good, or a piece is missing for ever: the log is not whole.
  bool incomplete() const { return incomplete_; }

 private:
  void follow();
  void read_rest(bool from_beginning);
  void on_bytes(const std::string& bytes);
  void on_follow_end(const Result<http::Response>& result);
  void finish();

  Loop& loop_;
  Api& api_;
  std::string path_;  // ".../log?container=harness"
  OnText on_text_;
  OnEnd on_end_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  FrameReader frames_;
  Api::StreamId stream_ = 0;
  Instant asked_at_{};
  bool started_ = false;
  bool ended_ = false;  // the container
  bool reading_rest_ = false;
  bool over_ = false;
  bool incomplete_ = false;
  bool whole_ = true;  // the present read began at the log's beginning
  std::uint32_t failures_ = 0;
  std::uint32_t rest_reads_ = 0;
};

}  // namespace assay::eval::kubernetes

#endif  // ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_LOG_FOLLOW_H_
