// The progress feed's socket: a PUB that never waits for a subscriber, and costs nothing while
// there is none. What a slow one misses it asks for (EVENTS).
#ifndef ASSAY_BROKER_NET_FEED_H_
#define ASSAY_BROKER_NET_FEED_H_

#include <cstdint>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "assay/status.h"
#include "assay/task.h"
#include "broker/net/authenticator.h"

namespace assay::net {

// Thread: one.
class Feed {
 public:
  explicit Feed(zmq::context_t& context);

  // Lets in nobody but those whom `authenticator` admits. Before bind.
  void guard(const Authenticator& authenticator);
  // Errors: `address_in_use`, `invalid_endpoint` (fix_input).
  Status bind(const std::string& endpoint);
  const std::string& endpoint() const { return endpoint_; }
  // Cuts all subscribers off; those that are still let in come back by themselves and ask for what
  // they missed. A PUB socket can't part with one of them. Errors: those of bind.
  Status begin_anew();
  void publish(const std::vector<FeedEvent>& events);

 private:
  void open();
  void count_subscriptions();

  zmq::context_t& context_;
  const Authenticator* authenticator_ = nullptr;
  zmq::socket_t socket_;
  std::string endpoint_;
  std::uint64_t subscriptions_ = 0;  // different ones
};

}  // namespace assay::net

#endif  // ASSAY_BROKER_NET_FEED_H_
