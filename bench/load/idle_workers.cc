// bench_idle_workers: many workers that are connected, greet, beat as often as the broker asked,
// and get nothing to do. One process and one socket each would take the machine's memory for
// itself, so the dialogue of many is held here in turn; to the broker they are workers like any
// other. Prints a line of JSON once all are welcome, and beats until it is killed.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <variant>
#include <vector>
#include <zmq.hpp>

#include "assay/message.h"
#include "sdk/wire/codec.h"

namespace {

using namespace assay;  // NOLINT(google-build-using-namespace): a program's main
using Clock = std::chrono::steady_clock;

struct IdleWorker {
  zmq::socket_t socket;
  Duration beat_every{1000};
  Clock::time_point beat_at = Clock::time_point::max();
  bool is_welcome = false;
};

void say(IdleWorker& worker, const Message& message) {
  const wire::Frames frames = wire::encode(message);
  worker.socket.send(zmq::buffer(frames.header), zmq::send_flags::sndmore);
  worker.socket.send(zmq::buffer(frames.payload), zmq::send_flags::none);
}

void hear(IdleWorker& worker, Clock::time_point now) {
  zmq::message_t header, payload;
  while (worker.socket.recv(header, zmq::recv_flags::dontwait)) {
    static_cast<void>(worker.socket.recv(payload));
    const auto message =
        wire::decode({header.data<char>(), header.size()}, {payload.data<char>(), payload.size()});
    const Welcome* welcome = message.is_ok() ? std::get_if<Welcome>(&*message) : nullptr;
    if (welcome == nullptr) continue;
    worker.is_welcome = true;
    worker.beat_every = welcome->heartbeat_every;
    worker.beat_at = now + worker.beat_every;
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::string endpoint, name = "idle";
  std::size_t count = 1000;
  CLI::App app("idle workers of the benchmark");
  app.add_option("--endpoint", endpoint)->required();
  app.add_option("--name", name);
  app.add_option("--count", count);
  CLI11_PARSE(app, argc, argv);

  zmq::context_t context;
  context.set(zmq::ctxopt::max_sockets, static_cast<int>(count) + 10);
  std::vector<IdleWorker> workers(count);
  for (std::size_t i = 0; i < count; ++i) {
    workers[i].socket = zmq::socket_t(context, zmq::socket_type::dealer);
    workers[i].socket.connect(endpoint);
    WorkerHello hello;
    hello.name = WorkerName(name + "-" + std::to_string(i));
    hello.queues = {QueueName("bench")};
    hello.slots = 1;
    say(workers[i], hello);
  }
  bool told = false;
  for (;;) {
    const auto now = Clock::now();
    std::size_t welcome = 0;
    for (IdleWorker& worker : workers) {
      if (worker.is_welcome && now < worker.beat_at) {
        ++welcome;
        continue;
      }
      hear(worker, now);
      if (!worker.is_welcome) continue;
      ++welcome;
      if (now < worker.beat_at) continue;
      say(worker, Heartbeat{.slots = 1, .holding = {}});
      worker.beat_at = now + worker.beat_every;
    }
    if (welcome == count && !std::exchange(told, true)) {
      std::printf("{\"workers\": %zu, \"beat_every_ms\": %lld}\n", count,
                  static_cast<long long>(workers.back().beat_every.count()));
      std::fflush(stdout);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}
