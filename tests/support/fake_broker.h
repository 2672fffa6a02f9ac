// A scripted broker on a real ROUTER socket: greets, answers heartbeats, refuses strangers with
// hello_first, and does for everything else what the test's script says. It can fall silent, lose
// answers, restart on its port, and say things out of turn.
#ifndef ASSAY_TESTS_SUPPORT_FAKE_BROKER_H_
#define ASSAY_TESTS_SUPPORT_FAKE_BROKER_H_

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "assay/message.h"
#include "sdk/worker/wakeup.h"

namespace assay::test {

// Far beyond what any test needs, so that only a real failure meets it.
inline constexpr std::chrono::seconds kDeadline{20};

class FakeBroker {
 public:
  // What to answer; called on the broker's thread. HELLO, HEARTBEAT and strangers are not asked
  // about.
  using Script = std::function<std::vector<Message>(const Message&)>;

  explicit FakeBroker(Script script = nullptr);
  ~FakeBroker();
  FakeBroker(const FakeBroker&) = delete;
  FakeBroker& operator=(const FakeBroker&) = delete;

  const std::string& endpoint() const { return endpoint_; }

  // Thread: any; these return once they are done.
  void set_script(Script script);
  void set_welcome(Welcome welcome);
  // Closes the port and forgets every peer; start() opens the same port again.
  void stop();
  void start();
  void restart() {
    stop();
    start();
  }
  // Says it to the peer that greeted last.
  void say(Message message);
  void forget_peers();
  // Hears and logs everything, answers nothing, not even heartbeats.
  void set_silent(bool silent);

  // Every message it has heard, in order.
  std::vector<Message> heard();
  // Waits until what it has heard satisfies `enough`; false when the deadline passes first.
  bool wait_until(const std::function<bool(const std::vector<Message>&)>& enough);
  template <typename M>
  bool wait_for(std::size_t count) {
    return wait_until([count](const auto& log) { return count_of<M>(log) >= count; });
  }
  template <typename M>
  static std::size_t count_of(const std::vector<Message>& log) {
    std::size_t count = 0;
    for (const Message& message : log) count += std::holds_alternative<M>(message) ? 1 : 0;
    return count;
  }
  template <typename M>
  std::size_t count() {
    return count_of<M>(heard());
  }

 private:
  struct Sockets;
  void run();
  void do_in_thread(std::function<void()> command);
  void open();
  void receive();
  void answer(const std::string& peer, const Message& message);
  void send(const std::string& peer, const Message& message);

  std::string endpoint_ = "tcp://127.0.0.1:*";
  worker::Wakeup wakeup_;

  // The thread's own.
  std::unique_ptr<Sockets> sockets_;
  Script script_;
  Welcome welcome_;
  std::set<std::string> peers_;
  std::string last_peer_;
  bool silent_ = false;
  bool ending_ = false;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::function<void()>> commands_;
  std::size_t commands_done_ = 0;
  std::size_t commands_given_ = 0;
  std::vector<Message> heard_;

  std::thread thread_;
};

}  // namespace assay::test

#endif  // ASSAY_TESTS_SUPPORT_FAKE_BROKER_H_
