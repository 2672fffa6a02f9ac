// Asks the history on a thread of its own, since a query looks at the disk and the broker's loop
// must not wait for it. Must not know: what is asked, how answers get back.
#ifndef ASSAY_BROKER_HISTORY_QUERY_THREAD_H_
#define ASSAY_BROKER_HISTORY_QUERY_THREAD_H_

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "assay/status.h"
#include "broker/history/reader.h"

namespace assay::history {

inline constexpr std::size_t kQuestionsWaitingMax = 64;

class QueryThread {
 public:
  // Runs on the thread, with a reader, or with why there is none. It must hand its answer over by
  // itself (a queue and an eventfd, say), and be quick about everything but the query.
  using Question = std::function<void(Result<Reader*>)>;

  // The database is opened at the first question, and again while it cannot be.
  explicit QueryThread(std::string path);
  // Questions that have not begun are dropped.
  ~QueryThread();
  QueryThread(const QueryThread&) = delete;
  QueryThread& operator=(const QueryThread&) = delete;

  // Never waits. Errors: `history_queries_full` (kRetryLater): too many wait already.
  // Thread: any.
  Status ask(Question question);

 private:
  void run();
  std::optional<Question> take();
  Result<Reader*> reader();

  const std::string path_;
  std::optional<Reader> reader_;  // the thread's

  std::mutex mutex_;
  std::condition_variable asked_;
  std::deque<Question> questions_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace assay::history

#endif  // ASSAY_BROKER_HISTORY_QUERY_THREAD_H_
