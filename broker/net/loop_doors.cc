// Where the loop listens, and whom it lets in.
#include "broker/net/bind.h"
#include "broker/net/loop.h"

namespace assay::net {

Status Loop::demand_keys(keys::KeyPair own, KnownKeys known) {
  auto made = Authenticator::make(context_, std::move(own), std::move(known));
  if (!made.is_ok()) return made.status();
  authenticator_ = std::move(*made);
  clients_.guard(*authenticator_);
  workers_.guard(*authenticator_);
  feed_.guard(*authenticator_);
  return Status::ok();
}

Status Loop::set_known_keys(KnownKeys known) {
  ASSAY_ASSERT(authenticator_ != nullptr);
  const bool someone_left = authenticator_->replace(std::move(known));
  effects_.clear();
  for (Router* router : {&clients_, &workers_}) {
    for (const core::PeerId peer : router->bar_unknown())
      core_.step({clock_.now(), core::PeerBarred{peer}}, effects_);
  }
  Status status = settle();
  return status.is_ok() && someone_left ? feed_.begin_anew() : status;
}

Status Loop::set_rules(const core::CoreOptions& options) {
  effects_.clear();
  core_.set_rules(options, clock_.now(), effects_);
  return settle();
}

void Loop::on_reload(int descriptor, std::function<Status()> reload) {
  reload_descriptor_ = descriptor;
  reload_ = std::move(reload);
}

Status Loop::bind(const Endpoints& endpoints) {
  for (const std::string& endpoint : {endpoints.clients, endpoints.workers, endpoints.feed}) {
    if (authenticator_ == nullptr && !is_loopback(endpoint)) {
      return fix_input("not_loopback",
                       "cannot listen at " + endpoint +
                           ": without keys anybody could submit and take tasks, so the broker "
                           "binds to loopback only, for example tcp://127.0.0.1:5555");
    }
  }
  Status status = clients_.bind(endpoints.clients);
  if (status.is_ok()) status = workers_.bind(endpoints.workers);
  if (status.is_ok()) status = feed_.bind(endpoints.feed);
  if (authenticator_ != nullptr) {
    for (const std::string& guarded :
         {clients_.endpoint(), workers_.endpoint(), feed_.endpoint()}) {
      if (status.is_ok()) status = authenticator_->check_that_strangers_stay_out(guarded);
    }
  }
  if (!status.is_ok() || endpoints.http.empty()) return status;
  auto http =
      HttpServer::listen(endpoints.http, [this](const std::string& path) { return answer(path); });
  if (!http.is_ok()) return http.status();
  http_ = std::move(*http);
  return Status::ok();
}

Endpoints Loop::bound() const {
  return {.clients = clients_.endpoint(),
          .workers = workers_.endpoint(),
          .feed = feed_.endpoint(),
          .http = http_ ? http_->address() : ""};
}

// Peers that the core does not know: they never greeted, or left. Their numbers are not kept for
// ever.
void Loop::forget_strangers() {
  clients_.forget_if(
      [this](core::PeerId peer) { return !core_.sessions().clients().contains(peer); });
  workers_.forget_if(
      [this](core::PeerId peer) { return !core_.sessions().workers().contains(peer); });
}

}  // namespace assay::net
