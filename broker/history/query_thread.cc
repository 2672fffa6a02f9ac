#include "broker/history/query_thread.h"

#include <pthread.h>

#include <utility>

namespace assay::history {

QueryThread::QueryThread(std::string path) : path_(std::move(path)), thread_([this] { run(); }) {}

QueryThread::~QueryThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  asked_.notify_one();
  thread_.join();
}

Status QueryThread::ask(Question question) {
  {
    const std::lock_guard lock(mutex_);
    if (questions_.size() >= kQuestionsWaitingMax) {
      return retry_later("history_queries_full",
                         std::to_string(kQuestionsWaitingMax) +
                             " queries wait for the history already, its limit")
          .with_retry_after(Duration(1000));
    }
    questions_.push_back(std::move(question));
  }
  asked_.notify_one();
  return Status::ok();
}

void QueryThread::run() {
  pthread_setname_np(pthread_self(), "history-query");
  while (auto question = take()) (*question)(reader());
}

std::optional<QueryThread::Question> QueryThread::take() {
  std::unique_lock lock(mutex_);
  asked_.wait(lock, [this] { return stopping_ || !questions_.empty(); });
  if (stopping_) return std::nullopt;
  Question question = std::move(questions_.front());
  questions_.pop_front();
  return question;
}

Result<Reader*> QueryThread::reader() {
  if (!reader_) {
    auto opened = Reader::open(path_);
    if (!opened.is_ok()) return opened.status();
    reader_.emplace(std::move(*opened));
  }
  return &*reader_;
}

}  // namespace assay::history
