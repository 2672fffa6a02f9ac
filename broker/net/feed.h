// The progress feed's socket: a PUB that never waits for a subscriber. What a slow one misses it
// asks for (EVENTS).
#ifndef ASSAY_BROKER_NET_FEED_H_
#define ASSAY_BROKER_NET_FEED_H_

#include <string>
#include <vector>
#include <zmq.hpp>

#include "assay/status.h"
#include "assay/task.h"

namespace assay::net {

// Thread: one.
class Feed {
 public:
  explicit Feed(zmq::context_t& context);

  // Errors: `address_in_use`, `invalid_endpoint` (fix_input).
  Status bind(const std::string& endpoint);
  const std::string& endpoint() const { return endpoint_; }
  void publish(const std::vector<FeedEvent>& events);

 private:
  zmq::socket_t socket_;
  std::string endpoint_;
};

}  // namespace assay::net

#endif  // ASSAY_BROKER_NET_FEED_H_
