#include "broker/net/feed.h"

#include <chrono>
#include <thread>

#include "broker/net/bind.h"
#include "sdk/wire/codec.h"

namespace assay::net {
namespace {

// Events that wait for one subscriber before it starts to miss some.
constexpr int kEventsWaitingMax = 100'000;
constexpr std::chrono::seconds kRebindMax{5};

}  // namespace

Feed::Feed(zmq::context_t& context) : context_(context) {
  open();
}

void Feed::open() {
  // A PUB that tells what is subscribed to: three events a task, encoded for nobody, would cost a
  // tenth of all that the broker does for it.
  socket_ = zmq::socket_t(context_, zmq::socket_type::xpub);
  subscriptions_ = 0;
  socket_.set(zmq::sockopt::linger, 0);
  socket_.set(zmq::sockopt::sndhwm, kEventsWaitingMax);
  if (authenticator_ != nullptr) authenticator_->guard(socket_);
}

void Feed::guard(const Authenticator& authenticator) {
  authenticator_ = &authenticator;
  authenticator.guard(socket_);
}

Status Feed::begin_anew() {
  const std::string endpoint = endpoint_;
  open();
  // libzmq gives the address up a moment after the old socket was closed.
  const auto deadline = std::chrono::steady_clock::now() + kRebindMax;
  for (;;) {
    Status status = bind(endpoint);
    const bool again = status.reason() == "address_in_use";
    if (!again || std::chrono::steady_clock::now() > deadline) return status;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

Status Feed::bind(const std::string& endpoint) {
  return bind_socket(socket_, endpoint, endpoint_);
}

// Each message is a subscription that is new (1 and its prefix) or one that nobody has any more
// (0).
void Feed::count_subscriptions() {
  zmq::message_t message;
  while (socket_.recv(message, zmq::recv_flags::dontwait)) {
    if (message.size() == 0) continue;
    const char kind = *message.data<char>();
    if (kind == 1) ++subscriptions_;
    if (kind == 0 && subscriptions_ > 0) --subscriptions_;
  }
}

void Feed::publish(const std::vector<FeedEvent>& events) {
  count_subscriptions();
  if (subscriptions_ == 0) return;
  for (const FeedEvent& event : events) {
    const wire::EventFrames frames = wire::encode_event(event);
    socket_.send(zmq::buffer(frames.topic), zmq::send_flags::sndmore | zmq::send_flags::dontwait);
    socket_.send(zmq::buffer(frames.payload), zmq::send_flags::dontwait);
  }
}

}  // namespace assay::net
