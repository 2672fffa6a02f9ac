// The subscriber's shell: a SUB socket for the feed, a client to ask for what the feed lost.
#include "assay/progress.h"

#include <algorithm>
#include <array>
#include <deque>
#include <utility>
#include <zmq.hpp>

#include "assay/client.h"
#include "sdk/progress/sequence.h"
#include "sdk/transport/curve.h"
#include "sdk/transport/instant.h"
#include "sdk/wire/codec.h"
#include "sdk/wire/limits.h"

namespace assay {
namespace {

using transport::Instant;
using transport::later;

// A subscription takes a moment to reach the broker, and what happened in between is in no feed:
// the first checks come soon. Later ones follow a silence, ever more rarely.
constexpr Duration kFirstCheckAfter{100};
constexpr Duration kCheckAfterSilence{2000};
constexpr Duration kCheckAfterSilenceMax{30000};
constexpr int kReceiveLimit = 10'000;  // events that may wait here; more are dropped and fetched
constexpr int kEventsPerTurn = 1000;
constexpr std::size_t kTopicsMax = 64;  // more tasks than that are picked out of the whole feed
constexpr int kReconnectMs = 50;
constexpr int kReconnectMsMax = 1000;

ClientOptions client_options(const SubscriberOptions& options) {
  ClientOptions client;
  client.endpoint = options.broker_endpoint;
  client.name = options.name;
  client.call_timeout = options.call_timeout;
  client.notice = options.notice;
  client.key_file = options.key_file;
  client.server_key = options.server_key;
  return client;
}

}  // namespace

class Subscriber::Feed {
 public:
  explicit Feed(SubscriberOptions options)
      : options_(std::move(options)),
        client_(client_options(options_)),
        sequence_({.tasks = options_.tasks, .topic_prefix = options_.topic_prefix}) {}

  Status start() {
    if (started_) return Status::ok();
    if (Status status = connect(); !status.is_ok()) return status;
    if (options_.after) {
      if (Status status = client_.connect(); !status.is_ok()) return status;
      sequence_.begin(*options_.after);
      sequence_.check();
    } else if (options_.snapshot) {
      if (Status status = take_snapshot(); !status.is_ok()) return status;
    } else {
      EventsRequest newest;
      newest.after = UINT64_MAX;
      newest.limit = 1;
      auto list = client_.events(std::move(newest));
      if (!list.is_ok()) return list.status();
      sequence_.begin(list->newest);
    }
    started_ = true;
    silence_ = kFirstCheckAfter;
    check_at_ = later(transport::now(), silence_);
    return Status::ok();
  }

  Result<std::optional<FeedEvent>> next(Duration timeout) {
    const Instant until = later(transport::now(), timeout);
    if (Status status = start(); !status.is_ok()) return status;
    if (!first_.empty()) {
      std::optional<FeedEvent> event = std::move(first_.front());
      first_.pop_front();
      return event;
    }
    for (;;) {
      if (auto event = sequence_.take()) {
        silence_ = kCheckAfterSilence;
        check_at_ = later(transport::now(), silence_);
        return event;
      }
      auto asked = ask();
      if (!asked.is_ok()) return asked.status();
      const bool progressed = *asked || receive();
      const Instant now = transport::now();
      if (!progressed && now >= check_at_) {
        silence_ = std::min(silence_ * 2, kCheckAfterSilenceMax);
        check_at_ = later(now, silence_);
        ask_again_at_ = now;
        sequence_.check();
        continue;
      }
      if (now >= until) return sequence_.take();
      if (!progressed) wait(std::min(until, check_at_));
    }
  }

  std::uint64_t lost() const { return sequence_.lost(); }

 private:
  // Asks the broker for a part of what is missing, if anything is; whether it did.
  Result<bool> ask() {
    // A mere check that failed comes again by the clock; a gap holds everything up.
    if (!sequence_.has_gap() && transport::now() < ask_again_at_) return false;
    auto question = sequence_.question();
    if (!question) return false;
    auto list = client_.events(std::move(*question));
    if (list.is_ok()) {
      sequence_.on_answer(*list);
      return true;
    }
    sequence_.on_no_answer();
    if (sequence_.has_gap() || list.status().code() != Code::kRetryCall) return list.status();
    ask_again_at_ = check_at_ = later(transport::now(), kCheckAfterSilence);
    return false;
  }

  // What a later page tells that happened after the first comes through the feed as well.
  Status take_snapshot() {
    SnapshotRequest request;
    request.tasks = options_.tasks;
    request.topic_prefix = options_.topic_prefix;
    std::optional<std::uint64_t> begin;
    for (bool complete = false; !complete;) {
      auto page = client_.snapshot(request);
      if (!page.is_ok()) return page.status();
      if (!begin) begin = page->sequence;
      complete = page->complete || page->events.empty();
      if (!complete) request.after = page->events.back().task;
      for (FeedEvent& event : page->events) {
        if (event.sequence <= *begin) first_.push_back(std::move(event));
      }
    }
    sequence_.begin(*begin);
    return Status::ok();
  }

  Status connect() {
    const auto keys = transport::read_client_keys({options_.key_file, options_.server_key});
    if (!keys.is_ok()) return keys.status();
    try {
      zmq::socket_t socket(context_, zmq::socket_type::sub);
      socket.set(zmq::sockopt::linger, 0);
      socket.set(zmq::sockopt::rcvhwm, kReceiveLimit);
      socket.set(zmq::sockopt::reconnect_ivl, kReconnectMs);
      socket.set(zmq::sockopt::reconnect_ivl_max, kReconnectMsMax);
      socket.set(zmq::sockopt::maxmsgsize, static_cast<int64_t>(wire::kMessageBytesMax));
      if (*keys) transport::use_keys(socket, **keys);
      socket.connect(options_.feed_endpoint);
      for (const std::string& topic : topics()) socket.set(zmq::sockopt::subscribe, topic);
      socket_ = std::move(socket);
      return Status::ok();
    } catch (const zmq::error_t& error) {
      return fix_input("invalid_endpoint", "cannot connect to '" + options_.feed_endpoint +
                                               "': " + error.what() +
                                               "; expected an address like tcp://127.0.0.1:5557");
    }
  }

  // The narrowest subscriptions that let through all that is followed. A task's topic begins with
  // its queue, which only the broker knows.
  std::vector<std::string> topics() {
    if (!options_.topic_prefix.empty()) return {options_.topic_prefix};
    if (options_.tasks.size() > kTopicsMax) return {""};
    std::vector<std::string> topics;
    for (const TaskId& task : options_.tasks) {
      auto info = client_.status(task.text());
      if (!info.is_ok()) return {""};
      topics.push_back(info->queue.value + "/" + task.text() + "/");
    }
    if (topics.empty()) topics.emplace_back();
    return topics;
  }

  bool receive() {
    bool any = false;
    try {
      for (int count = 0; count < kEventsPerTurn; ++count) {
        zmq::message_t topic;
        if (!socket_.recv(topic, zmq::recv_flags::dontwait)) break;
        zmq::message_t payload;
        bool more = topic.more();
        while (more) {
          if (!socket_.recv(payload, zmq::recv_flags::dontwait)) break;
          more = payload.more();
        }
        // What cannot be read is missing then, and fetched.
        auto event = wire::decode_event({static_cast<const char*>(payload.data()), payload.size()});
        if (event.is_ok()) sequence_.on_event(std::move(*event));
        any = true;
      }
    } catch (const zmq::error_t&) {
      // As if nothing had come.
    }
    return any;
  }

  void wait(Instant until) {
    std::array<zmq::pollitem_t, 1> items{{{socket_.handle(), 0, ZMQ_POLLIN, 0}}};
    const auto left = std::chrono::ceil<Duration>(until - std::chrono::steady_clock::now());
    try {
      zmq::poll(items.data(), items.size(), std::max(left, Duration(0)));
    } catch (const zmq::error_t&) {
      // Interrupted by a signal: as good as woken.
    }
  }

  SubscriberOptions options_;
  Client client_;
  progress::Sequence sequence_;
  std::deque<FeedEvent> first_;  // of the snapshot
  zmq::context_t context_{1};
  zmq::socket_t socket_;
  bool started_ = false;
  Duration silence_{0};
  Instant check_at_{};      // when a silent feed is checked
  Instant ask_again_at_{};  // after a check that failed
};

Subscriber::Subscriber(SubscriberOptions options)
    : feed_(std::make_unique<Feed>(std::move(options))) {}
Subscriber::~Subscriber() = default;
Subscriber::Subscriber(Subscriber&&) noexcept = default;
Subscriber& Subscriber::operator=(Subscriber&&) noexcept = default;

Status Subscriber::start() {
  return feed_->start();
}
Result<std::optional<FeedEvent>> Subscriber::next(Duration timeout) {
  return feed_->next(timeout);
}
std::uint64_t Subscriber::lost() const {
  return feed_->lost();
}

}  // namespace assay
