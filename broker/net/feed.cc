#include "broker/net/feed.h"

#include "broker/net/bind.h"
#include "sdk/wire/codec.h"

namespace assay::net {
namespace {

// Events that wait for one subscriber before it starts to miss some.
constexpr int kEventsWaitingMax = 100'000;

}  // namespace

Feed::Feed(zmq::context_t& context) : socket_(context, zmq::socket_type::pub) {
  socket_.set(zmq::sockopt::linger, 0);
  socket_.set(zmq::sockopt::sndhwm, kEventsWaitingMax);
}

Status Feed::bind(const std::string& endpoint) {
  return bind_socket(socket_, endpoint, endpoint_);
}

void Feed::publish(const std::vector<FeedEvent>& events) {
  for (const FeedEvent& event : events) {
    const wire::EventFrames frames = wire::encode_event(event);
    socket_.send(zmq::buffer(frames.topic), zmq::send_flags::sndmore | zmq::send_flags::dontwait);
    socket_.send(zmq::buffer(frames.payload), zmq::send_flags::dontwait);
  }
}

}  // namespace assay::net
