#include "broker/net/history_service.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

#include "broker/history/inquiry.h"
#include "sdk/log/structured_log.h"

namespace assay::net {
namespace {

void log_status(const Status& status) {
  if (status.is_ok()) {
    log::info("history_goes_on", {});
  } else {
    log::warn("history_waits", {{"reason", status.reason()}, {"message", status.message()}});
  }
}

}  // namespace

HistoryService::HistoryService(const history::JournalHistoryOptions& options)
    : descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  history::JournalHistoryOptions asked = options;
  asked.on_status = log_status;
  auto opened = history::JournalHistory::open(asked);
  if (!opened.is_ok()) {
    failure_ = opened.status();
    log::error("history_off", {{"reason", failure_.reason()}, {"message", failure_.message()}});
    return;
  }
  journal_history_ = std::move(*opened);
  queries_.emplace(journal_history_->path());
}

HistoryService::~HistoryService() {
  queries_.reset();
  ::close(descriptor_);
}

void HistoryService::ask(core::Inquiry inquiry) {
  core::FromHistory answer{.to = inquiry.to, .request = std::move(inquiry.request), .answer = {}};
  if (!queries_) {
    answer.answer.status = failure_;
    return add_answer(std::move(answer));
  }
  const core::PeerId to = answer.to;
  const Message request = answer.request;
  const Status status = queries_->ask([this, to, request](Result<history::Reader*> reader) {
    add_answer({.to = to, .request = request, .answer = history::answer(reader, request)});
  });
  if (status.is_ok()) return;
  answer.answer.status = status;
  add_answer(std::move(answer));
}

void HistoryService::add_answer(core::FromHistory answer) {
  {
    const std::lock_guard lock(mutex_);
    answers_.push_back(std::move(answer));
  }
  // The counter can't overflow: it is read before it comes near that.
  static_cast<void>(eventfd_write(descriptor_, 1));
}

std::vector<core::FromHistory> HistoryService::take_answers() {
  eventfd_t count = 0;
  static_cast<void>(eventfd_read(descriptor_, &count));
  const std::lock_guard lock(mutex_);
  return std::exchange(answers_, {});
}

void HistoryService::close() {
  queries_.reset();
  if (journal_history_) journal_history_->history().close();
}

}  // namespace assay::net
