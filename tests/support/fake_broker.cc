#include "tests/support/fake_broker.h"

#include <array>
#include <zmq.hpp>

#include "sdk/wire/codec.h"

namespace assay::test {
namespace {

std::string text_of(const zmq::message_t& message) {
  return {static_cast<const char*>(message.data()), message.size()};
}

}  // namespace

struct FakeBroker::Sockets {
  zmq::context_t context{1};
  zmq::socket_t router{context, zmq::socket_type::router};
};

FakeBroker::FakeBroker(Script script) : script_(std::move(script)) {
  // Quick beats, so that what rests on them is soon over.
  welcome_.heartbeat_every = Duration(50);
  welcome_.lease = Duration(2000);
  open();
  thread_ = std::thread([this] { run(); });
}

FakeBroker::~FakeBroker() {
  do_in_thread([this] { ending_ = true; });
  thread_.join();
}

void FakeBroker::open() {
  sockets_ = std::make_unique<Sockets>();
  sockets_->router.set(zmq::sockopt::linger, 0);
  sockets_->router.set(zmq::sockopt::sndhwm,
                       0);  // it loses what the script wants lost, nothing else
  sockets_->router.bind(endpoint_);
  endpoint_ = sockets_->router.get(zmq::sockopt::last_endpoint);
}

void FakeBroker::do_in_thread(std::function<void()> command) {
  std::unique_lock lock(mutex_);
  commands_.push_back(std::move(command));
  const std::size_t number = ++commands_given_;
  wakeup_.wake();
  changed_.wait(lock, [&] { return commands_done_ >= number; });
}

void FakeBroker::set_script(Script script) {
  do_in_thread([&] { script_ = std::move(script); });
}
void FakeBroker::set_welcome(Welcome welcome) {
  do_in_thread([&] { welcome_ = std::move(welcome); });
}
void FakeBroker::stop() {
  do_in_thread([this] {
    peers_.clear();
    sockets_.reset();
  });
}
void FakeBroker::start() {
  do_in_thread([this] { open(); });
}
void FakeBroker::say(Message message) {
  do_in_thread([&] { send(last_peer_, message); });
}
void FakeBroker::forget_peers() {
  do_in_thread([this] { peers_.clear(); });
}
void FakeBroker::set_silent(bool silent) {
  do_in_thread([this, silent] { silent_ = silent; });
}

std::vector<Message> FakeBroker::heard() {
  const std::scoped_lock lock(mutex_);
  return heard_;
}

bool FakeBroker::wait_until(const std::function<bool(const std::vector<Message>&)>& enough) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kDeadline, [&] { return enough(heard_); });
}

void FakeBroker::run() {
  while (!ending_) {
    std::array<zmq::pollitem_t, 2> items{{{nullptr, wakeup_.descriptor(), ZMQ_POLLIN, 0}, {}}};
    if (sockets_ != nullptr) items[1] = {sockets_->router.handle(), 0, ZMQ_POLLIN, 0};
    zmq::poll(items.data(), sockets_ != nullptr ? 2 : 1, std::chrono::milliseconds(-1));
    wakeup_.clear();
    std::vector<std::function<void()>> commands;
    {
      const std::scoped_lock lock(mutex_);
      commands.swap(commands_);
    }
    for (const auto& command : commands) {
      command();
      const std::scoped_lock lock(mutex_);
      ++commands_done_;
      changed_.notify_all();
    }
    if (sockets_ != nullptr) receive();
  }
}

void FakeBroker::receive() {
  for (;;) {
    std::array<zmq::message_t, 3> frames;
    for (zmq::message_t& frame : frames) {
      if (!sockets_->router.recv(frame, zmq::recv_flags::dontwait)) return;
    }
    auto message = wire::decode(text_of(frames[1]), text_of(frames[2]));
    if (!message.is_ok()) continue;
    {
      const std::scoped_lock lock(mutex_);
      heard_.push_back(*message);
      changed_.notify_all();
    }
    if (!silent_) answer(text_of(frames[0]), *message);
  }
}

void FakeBroker::answer(const std::string& peer, const Message& message) {
  if (std::holds_alternative<ClientHello>(message) ||
      std::holds_alternative<WorkerHello>(message)) {
    peers_.insert(peer);
    last_peer_ = peer;
    return send(peer, welcome_);
  }
  if (std::holds_alternative<Goodbye>(message)) {
    peers_.erase(peer);
    return;
  }
  if (!peers_.contains(peer)) {
    Error error;
    error.code = Code::kRetryCall;
    error.reason = "hello_first";
    return send(peer, error);
  }
  if (std::holds_alternative<Heartbeat>(message)) return send(peer, Heartbeat{});
  if (!script_) return;
  for (const Message& reply : script_(message)) send(peer, reply);
}

void FakeBroker::send(const std::string& peer, const Message& message) {
  const wire::Frames frames = wire::encode(message);
  sockets_->router.send(zmq::buffer(peer), zmq::send_flags::sndmore);
  sockets_->router.send(zmq::buffer(frames.header), zmq::send_flags::sndmore);
  sockets_->router.send(zmq::buffer(frames.payload), zmq::send_flags::none);
}

}  // namespace assay::test
