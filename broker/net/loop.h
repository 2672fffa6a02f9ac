// The broker's one loop: drain the sockets, step the core, make its records durable with one flush,
// then speak. The order is the promise: nobody is told anything before what it rests on is on the
// disk.
#ifndef ASSAY_BROKER_NET_LOOP_H_
#define ASSAY_BROKER_NET_LOOP_H_

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "assay/status.h"
#include "broker/core/broker_core.h"
#include "broker/net/authenticator.h"
#include "broker/net/clock.h"
#include "broker/net/feed.h"
#include "broker/net/history_service.h"
#include "broker/net/http_server.h"
#include "broker/net/metrics.h"
#include "broker/net/router.h"
#include "broker/net/storage.h"

namespace assay::net {

struct Endpoints {
  std::string clients = "tcp://127.0.0.1:5555";
  std::string workers = "tcp://127.0.0.1:5556";
  std::string feed = "tcp://127.0.0.1:5557";
  std::string http = "127.0.0.1:9555";  // empty: none
};

// Thread: one.
class Loop {
 public:
  // `stop_descriptor` becomes readable when the broker is to end.
  Loop(core::BrokerCore& core, Storage& storage, const Clock& clock, int stop_descriptor);

  // Asks this history for what memory has let go. Before run; it lives longer than the loop.
  void ask(HistoryService& history) { history_ = &history; }
  // Demands keys of everybody. Before bind. Errors: those of Authenticator::make.
  Status demand_keys(keys::KeyPair own, KnownKeys known);
  // Binds everything. Errors: `address_in_use`, `invalid_endpoint`, `not_loopback` (fix_input:
  // there are no keys), those of Authenticator::check_that_strangers_stay_out.
  Status bind(const Endpoints& endpoints);
  // As bound, with the ports that the system chose.
  Endpoints bound() const;

  // Other keys are known from now on: who comes with another is cut off. Between turns. Errors:
  // those of the storage and of Feed::begin_anew; the broker must end then.
  Status set_known_keys(KnownKeys known);

  // Other rules, limits and schedules from now on. Between turns. Errors: those of the storage.
  Status set_rules(const core::CoreOptions& options);
  // Calls `reload` between two turns when the descriptor (a signalfd) has become readable. What it
  // answers that is not ok ends the loop.
  void on_reload(int descriptor, std::function<Status()> reload);

  // Turns until the stop descriptor is readable. After an error of the storage it refuses
  // everything and says so at /readyz until then; it returns that error.
  Status run(core::Effects& effects_of_start);

 private:
  Status turn();
  void drain();
  bool drain_one(Router& router);
  bool turn_is_full();
  void hear_history();
  void look_at_space();
  // loop_failed.cc: nothing is certain any more.
  void refuse_until_stopped();
  void refuse_all(Router& router);
  Status settle();
  Status fill_copies();
  void send(core::Outbound& outbound);
  bool fill_inputs(TaskAssignment& task, const std::vector<core::TaskIndex>& inputs);
  void measure();
  // Waits for traffic, the stop, or the core's next wake-up. False: stop.
  bool wait();
  void forget_strangers();
  HttpResponse answer(const std::string& path) const;

  core::BrokerCore& core_;
  Storage& storage_;
  const Clock& clock_;
  int stop_descriptor_;
  int reload_descriptor_ = -1;
  std::function<Status()> reload_;
  bool reload_wanted_ = false;
  zmq::context_t context_;
  std::unique_ptr<Authenticator> authenticator_;  // null: no keys, loopback only
  PeerNumbers numbers_;
  Router clients_;
  Router workers_;
  Feed feed_;
  std::unique_ptr<HttpServer> http_;
  HistoryService* history_ = nullptr;
  Status space_;    // not ok: the disk is nearly full, nothing new is accepted
  Status failure_;  // not ok: a write or a flush failed
  core::Effects effects_;
  Measured measured_;
  bool storage_has_more_to_do_ = false;
  std::vector<core::PeerId> gone_;  // found so while this turn spoke
  bool drained_ = true;             // nothing was left in the sockets at the end of the turn
  // What of this turn's effects turn_is_full() has counted.
  std::size_t measured_appends_ = 0;
  std::size_t measured_sends_ = 0;
  std::size_t turn_bytes_ = 0;
  std::size_t turn_bytes_to_read_ = 0;
  Time wake_at_{};
  Time next_forgetting_{};
  std::chrono::steady_clock::time_point spin_until_{};
};

}  // namespace assay::net

#endif  // ASSAY_BROKER_NET_LOOP_H_
