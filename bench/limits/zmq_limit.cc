// bench_zmq_limit: what libzmq itself allows for the broker's pattern of messages, in processes of
// their own as there: a client's DEALER to a ROUTER, from another ROUTER to a worker's DEALER, and
// back. The broker in the middle decodes each message of tasks and encodes it again, and does
// nothing else: no state, no records, no acknowledgements.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <msgpack.hpp>
#include <string>
#include <utility>
#include <vector>
#include <zmq.hpp>

namespace {

using Clock = std::chrono::steady_clock;
using Tasks = std::vector<std::pair<std::string, std::string>>;  // id and body

struct Settings {
  std::string role;
  std::string clients = "tcp://127.0.0.1:*";
  std::string workers = "tcp://127.0.0.1:*";
  std::size_t tasks = 1'000'000;
  std::size_t message = 256;  // tasks in one
  std::size_t window = 2048;
  std::size_t body_bytes = 256;
  std::size_t result_bytes = 64;
  bool one_by_one = false;
  int spin_us = 0;  // how long the broker polls without blocking after the last message
};

std::string encode(const Tasks& tasks) {
  msgpack::sbuffer buffer;
  msgpack::pack(buffer, tasks);
  return {buffer.data(), buffer.size()};
}

Tasks decode(const zmq::message_t& message) {
  return msgpack::unpack(message.data<char>(), message.size())->as<Tasks>();
}

zmq::message_t receive(zmq::socket_t& socket) {
  zmq::message_t message;
  static_cast<void>(socket.recv(message));
  return message;
}

void send(zmq::socket_t& socket, const zmq::message_t& route, const std::string& payload) {
  zmq::message_t copy;
  copy.copy(const_cast<zmq::message_t&>(route));
  socket.send(copy, zmq::send_flags::sndmore);
  socket.send(zmq::buffer(payload), zmq::send_flags::none);
}

class Broker {
 public:
  explicit Broker(const Settings& settings)
      : settings_(settings),
        clients_(context_, zmq::socket_type::router),
        workers_(context_, zmq::socket_type::router) {
    for (zmq::socket_t* socket : {&clients_, &workers_}) {
      socket->set(zmq::sockopt::sndhwm, 0);
      socket->set(zmq::sockopt::rcvhwm, 0);
    }
    clients_.bind(settings.clients);
    workers_.bind(settings.workers);
    std::printf("{\"clients\": \"%s\", \"workers\": \"%s\"}\n",
                clients_.get(zmq::sockopt::last_endpoint).c_str(),
                workers_.get(zmq::sockopt::last_endpoint).c_str());
    std::fflush(stdout);
  }

  [[noreturn]] void run() {
    auto spin_until = Clock::now();
    for (;;) {
      zmq::pollitem_t items[] = {{clients_.handle(), 0, ZMQ_POLLIN, 0},
                                 {workers_.handle(), 0, ZMQ_POLLIN, 0}};
      zmq::poll(items, 2, std::chrono::milliseconds(Clock::now() < spin_until ? 0 : -1));
      bool any = false;
      for (int i = 0; i < 512; ++i) {
        const bool from_client = forward(clients_, /*from_client=*/true);
        const bool from_worker = forward(workers_, /*from_client=*/false);
        if (!from_client && !from_worker) break;
        any = true;
      }
      if (any) spin_until = Clock::now() + std::chrono::microseconds(settings_.spin_us);
    }
  }

 private:
  bool forward(zmq::socket_t& from, bool from_client) {
    zmq::message_t route;
    if (!from.recv(route, zmq::recv_flags::dontwait)) return false;
    if (from_client) {
      const std::string payload = encode(decode(receive(from)));
      const zmq::message_t& worker = routes_[next_++ % routes_.size()];
      zmq::message_t copy;
      copy.copy(const_cast<zmq::message_t&>(worker));
      workers_.send(copy, zmq::send_flags::sndmore);
      send(workers_, route, payload);
      return true;
    }
    zmq::message_t client = receive(from);
    if (client.size() == 0) {  // a greeting
      routes_.push_back(std::move(route));
      return true;
    }
    send(clients_, client, encode(decode(receive(from))));
    return true;
  }

  const Settings& settings_;
  zmq::context_t context_;
  zmq::socket_t clients_;
  zmq::socket_t workers_;
  std::vector<zmq::message_t> routes_;
  std::size_t next_ = 0;
};

[[noreturn]] void work(const Settings& settings) {
  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::dealer);
  socket.connect(settings.workers);
  socket.send(zmq::message_t(), zmq::send_flags::none);
  const std::string result(settings.result_bytes, 'r');
  for (;;) {
    const zmq::message_t client = receive(socket);
    Tasks tasks = decode(receive(socket));
    for (auto& [id, body] : tasks) body = result;
    send(socket, client, encode(tasks));
  }
}

void produce(const Settings& settings) {
  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::dealer);
  socket.connect(settings.clients);
  const Tasks batch(settings.message,
                    {std::string(16, 'i'), std::string(settings.body_bytes, 'b')});
  std::vector<double> micros;
  std::size_t sent = 0, done = 0;
  const auto begin = Clock::now();
  while (done < settings.tasks) {
    const auto sent_at = Clock::now();
    while (sent < settings.tasks && sent - done < settings.window) {
      socket.send(zmq::buffer(encode(batch)), zmq::send_flags::none);
      sent += batch.size();
    }
    done += decode(receive(socket)).size();
    if (settings.one_by_one) {
      micros.push_back(std::chrono::duration<double, std::micro>(Clock::now() - sent_at).count());
    }
  }
  const auto end = Clock::now();
  std::sort(micros.begin(), micros.end());
  const auto percentile = [&](double share) {
    const auto last = static_cast<double>(micros.size()) - 1;
    return micros.empty() ? 0.0 : micros[static_cast<std::size_t>(last * share)];
  };
  const auto seconds = [](Clock::time_point at) {
    return std::chrono::duration<double>(at.time_since_epoch()).count();
  };
  std::printf("{\"tasks\": %zu, \"begin\": %.9f, \"end\": %.9f, \"p50\": %.1f, \"p99\": %.1f}\n",
              done, seconds(begin), seconds(end), percentile(0.5), percentile(0.99));
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app("libzmq's own limit for the broker's pattern of messages");
  app.add_option("--role", settings.role)
      ->required()
      ->check(CLI::IsMember({"broker", "worker", "producer"}));
  app.add_option("--clients", settings.clients);
  app.add_option("--workers", settings.workers);
  app.add_option("--tasks", settings.tasks);
  app.add_option("--message", settings.message);
  app.add_option("--window", settings.window);
  app.add_option("--body-bytes", settings.body_bytes);
  app.add_option("--result-bytes", settings.result_bytes);
  app.add_option("--spin-us", settings.spin_us);
  app.add_flag("--one-by-one", settings.one_by_one);
  CLI11_PARSE(app, argc, argv);
  if (settings.one_by_one) settings.message = settings.window = 1;
  if (settings.role == "broker") Broker(settings).run();
  if (settings.role == "worker") work(settings);
  produce(settings);
  return 0;
}
