#include "sdk/http/transfers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "tests/support/http_server.h"
#include "tests/support/process.h"

namespace assay::http {
namespace {

using std::chrono::seconds;
using support::HttpServer;
using support::ServerConnection;
using support::ServerRequest;

std::string reason_of(const Result<Response>& result) {
  return result.is_ok() ? "ok " + std::to_string(result->status) : result.status().reason();
}

Request get(const HttpServer& server, const std::string& path = "/") {
  Request out;
  out.url = server.url() + path;
  return out;
}

TEST(HttpTransfers, ManyStayOpenAtOnceOnOneThread) {
  constexpr int kWatches = 100;
  std::atomic<int> open{0};
  std::promise<void> all_open;
  const std::shared_future<void> go = all_open.get_future().share();
  HttpServer server([&](const ServerRequest& request, ServerConnection& connection) {
    connection.begin_chunks(200);
    connection.chunk(request.target);
    ++open;
    go.wait();
    connection.chunk(" end");
    connection.end_chunks();
  });
  Transfers transfers;
  std::vector<std::string> bodies(kWatches);
  std::vector<std::promise<std::string>> ends(kWatches);
  for (int i = 0; i < kWatches; ++i) {
    Request request = get(server, "/" + std::to_string(i));
    request.on_body = [&bodies, i](const Response&, std::string_view bytes) {
      bodies[i] += bytes;
      return Flow::kContinue;
    };
    transfers.start(std::move(request), [&ends, i](const Result<Response>& result) {
      ends[i].set_value(reason_of(result));
    });
  }
  EXPECT_TRUE(support::eventually([&] { return open == kWatches; }));
  EXPECT_EQ(transfers.in_flight(), static_cast<std::size_t>(kWatches));
  all_open.set_value();
  for (int i = 0; i < kWatches; ++i) {
    EXPECT_EQ(ends[i].get_future().get(), "ok 200");
    EXPECT_EQ(bodies[i], "/" + std::to_string(i) + " end");
  }
  EXPECT_EQ(transfers.in_flight(), 0U);
}

TEST(HttpTransfers, OneIsCancelledByIdOrByTokenAndTheOthersGoOn) {
  std::atomic<int> arrived{0};
  HttpServer server([&](const ServerRequest&, ServerConnection& connection) {
    ++arrived;
    connection.wait_gone(seconds(20));
    connection.hang_up();
  });
  Transfers transfers;
  std::promise<std::string> first;
  std::promise<std::string> second;
  std::stop_source stop;
  const auto id = transfers.start(
      get(server), [&](const Result<Response>& result) { first.set_value(reason_of(result)); });
  Request request = get(server);
  request.cancel = stop.get_token();
  transfers.start(request,
                  [&](const Result<Response>& result) { second.set_value(reason_of(result)); });
  EXPECT_TRUE(support::eventually([&] { return arrived == 2; }));
  transfers.cancel(id);
  EXPECT_EQ(first.get_future().get(), "http_cancelled");
  EXPECT_EQ(transfers.in_flight(), 1U);
  stop.request_stop();
  EXPECT_EQ(second.get_future().get(), "http_cancelled");
}

TEST(HttpTransfers, APausedOneLosesNothingAndIsNotSilent) {
  HttpServer server([](const ServerRequest&, ServerConnection& connection) {
    connection.respond(200, "all of it");
  });
  Transfers transfers;
  std::atomic<int> calls{0};
  std::string body;
  std::promise<std::string> end;
  Request request = get(server);
  request.timeouts.silence = Milliseconds(50);
  request.on_body = [&](const Response&, std::string_view bytes) {
    if (++calls <= 2) return Flow::kPause;
    body += bytes;
    return Flow::kContinue;
  };
  const auto id = transfers.start(
      request, [&](const Result<Response>& result) { end.set_value(reason_of(result)); });
  for (int round = 1; round <= 2; ++round) {
    EXPECT_TRUE(support::eventually([&] { return calls == round; }));
    transfers.resume(id);
  }
  EXPECT_EQ(end.get_future().get(), "ok 200");
  EXPECT_EQ(body, "all of it");
}

TEST(HttpTransfers, ASilentOneEndsByItself) {
  HttpServer server([](const ServerRequest&, ServerConnection& connection) {
    connection.begin_chunks(200);
    connection.chunk("a word");
    connection.wait_gone(seconds(20));
    connection.hang_up();
  });
  Transfers transfers;
  std::promise<std::string> end;
  Request request = get(server);
  request.timeouts.silence = Milliseconds(100);
  transfers.start(request,
                  [&](const Result<Response>& result) { end.set_value(reason_of(result)); });
  EXPECT_EQ(end.get_future().get(), "http_timeout");
}

TEST(HttpTransfers, ACallbackMayStartTheNext) {
  HttpServer server([](const ServerRequest& request, ServerConnection& connection) {
    connection.respond(200, request.target);
  });
  Transfers transfers;
  std::promise<std::string> end;
  transfers.start(get(server, "/1"), [&](const Result<Response>&) {
    transfers.start(get(server, "/2"),
                    [&](const Result<Response>& result) { end.set_value(result->body); });
  });
  EXPECT_EQ(end.get_future().get(), "/2");
  EXPECT_EQ(server.connections(), 1U);
}

TEST(HttpTransfers, TheEndOfAllTellsEach) {
  HttpServer server([](const ServerRequest&, ServerConnection& connection) {
    connection.wait_gone(seconds(20));
    connection.hang_up();
  });
  std::vector<std::string> ends;
  {
    Transfers transfers;
    for (int i = 0; i < 3; ++i) {
      transfers.start(get(server),
                      [&](const Result<Response>& result) { ends.push_back(reason_of(result)); });
    }
    Request bad;
    bad.url = "gopher://127.0.0.1/";
    transfers.start(bad,
                    [&](const Result<Response>& result) { ends.push_back(reason_of(result)); });
  }
  std::sort(ends.begin(), ends.end());
  ASSERT_EQ(ends.size(), 4U);
  EXPECT_EQ(ends.back(), "http_cancelled");
}

}  // namespace
}  // namespace assay::http
