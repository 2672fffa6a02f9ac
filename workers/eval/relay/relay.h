// The subject's only way out: a Unix socket in its sandbox, behind which three requests of one
// granted endpoint are answered. The key is added out here; nothing of it, nor of the endpoint's
// address, is ever seen inside.
#ifndef ASSAY_WORKERS_EVAL_RELAY_RELAY_H_
#define ASSAY_WORKERS_EVAL_RELAY_RELAY_H_

#include <memory>

#include "assay/status.h"
#include "workers/eval/executor/executor.h"
#include "workers/eval/relay/endpoint.h"

namespace assay::eval {

class Relay {
 public:
  // Listens at endpoints/NAME.sock in `folder`, a descriptor. Answers `GET /v1/models`, `POST
  // /v1/chat/completions` and `POST /v1/audio/transcriptions`; anything else is 404. Errors:
  // `pod_failed`. Thread: its own ones.
  static Result<std::unique_ptr<Relay>> start(const Endpoint& endpoint,
                                              std::shared_ptr<RequestBudget> budget, int folder);
  // Ends what it is answering.
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

 private:
  class Server;
  explicit Relay(std::unique_ptr<Server> server);
  std::unique_ptr<Server> server_;
};

}  // namespace assay::eval

#endif  // ASSAY_WORKERS_EVAL_RELAY_RELAY_H_
