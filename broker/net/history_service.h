// The broker's history as its loop uses it: offered what became durable, asked without waiting.
// Answers come back from the query thread through a queue, and a descriptor that the loop polls.
#ifndef ASSAY_BROKER_NET_HISTORY_SERVICE_H_
#define ASSAY_BROKER_NET_HISTORY_SERVICE_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "assay/status.h"
#include "broker/core/effects.h"
#include "broker/core/event.h"
#include "broker/history/journal_history.h"
#include "broker/history/query_thread.h"

namespace assay::net {

// Thread: the loop's.
class HistoryService {
 public:
  // Opens the history beside the journal, which must be recovered. It never fails: a history that
  // cannot be opened is logged, asked in vain, and the broker goes on.
  explicit HistoryService(const history::JournalHistoryOptions& options);
  ~HistoryService();
  HistoryService(const HistoryService&) = delete;
  HistoryService& operator=(const HistoryService&) = delete;

  // Null where it could not be opened.
  history::History* writer() { return journal_history_ ? &journal_history_->history() : nullptr; }
  const history::History* writer() const {
    return journal_history_ ? &journal_history_->history() : nullptr;
  }

  // Never waits. The answer is one of take_answers() later.
  void ask(core::Inquiry inquiry);
  // Readable while there are answers.
  int descriptor() const { return descriptor_; }
  std::vector<core::FromHistory> take_answers();

  // Commits what was offered; nothing may be asked any more.
  void close();

 private:
  void add_answer(core::FromHistory answer);

  int descriptor_;
  Status failure_;  // why there is no history
  std::unique_ptr<history::JournalHistory> journal_history_;
  std::mutex mutex_;  // guards answers_
  std::vector<core::FromHistory> answers_;
  std::optional<history::QueryThread> queries_;  // last: it answers into the others
};

}  // namespace assay::net

#endif  // ASSAY_BROKER_NET_HISTORY_SERVICE_H_
