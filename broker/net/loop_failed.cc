// What the loop does once a write or a flush has failed. Nobody knows then what the disk holds, so
// nothing is recorded, given out or promised any more. The process stays, and says why, until it is
// told to stop; what was promised before is recovered when the broker is started again.
#include "broker/net/loop.h"
#include "sdk/log/structured_log.h"

namespace assay::net {
namespace {

std::uint64_t request_of(const Message& message) {
  return std::visit(
      [](const auto& what) -> std::uint64_t {
        if constexpr (requires { what.request; }) return what.request;
        return 0;
      },
      message);
}

}  // namespace

void Loop::refuse_until_stopped() {
  log::error("refusing_everything",
             {{"reason", failure_.reason()}, {"message", failure_.message()}});
  wake_at_ = Time::max();
  while (wait()) {
    if (authenticator_ != nullptr) authenticator_->answer();
    if (history_ != nullptr) history_->take_answers();
    refuse_all(clients_);
    refuse_all(workers_);
    if (http_) http_->run();
  }
}

// Workers keep what they hold, and their reports, until a broker records them.
void Loop::refuse_all(Router& router) {
  while (auto received = router.receive()) {
    const Message* message = std::get_if<Message>(&received->what);
    if (message == nullptr) continue;
    router.send(received->peer,
                Error{.request = request_of(*message),
                      .code = Code::kRetryLater,
                      .reason = "journal_stopped",
                      .message = "this broker cannot write any more and must be started again: " +
                                 std::string(failure_.message()),
                      .retry_after = Duration(5000)});
  }
}

}  // namespace assay::net
