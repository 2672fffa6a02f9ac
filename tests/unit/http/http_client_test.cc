#include "sdk/http/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "tests/support/http_server.h"
#include "tests/support/process.h"

namespace assay::http {
namespace {

using std::chrono::seconds;
using support::HttpServer;
using support::ServerConnection;
using support::ServerRequest;
using ::testing::HasSubstr;
using ::testing::Not;

Request get(const HttpServer& server, const std::string& path = "/") {
  Request out;
  out.url = server.url() + path;
  return out;
}

void echo(const ServerRequest& request, ServerConnection& connection) {
  connection.respond(
      200, request.method + " " + request.target + " " + request.body,
      {{"X-Token",
        request.headers.contains("authorization") ? request.headers.at("authorization") : "none"}});
}

std::string reason_of(const Result<Response>& result) {
  return result.is_ok() ? "ok " + std::to_string(result->status) : result.status().reason();
}

TEST(HttpClient, ARequestIsSentAndAnsweredAndItsConnectionKept) {
  HttpServer server(echo);
  Client client;
  Request request = get(server, "/a?b=c");
  request.method = "PATCH";
  request.body = "hello";
  request.bearer_token = "secret";
  for (int i = 0; i < 3; ++i) {
    const auto response = client.perform(request);
    ASSERT_TRUE(response.is_ok()) << response.status().to_string();
    EXPECT_EQ(response->status, 200U);
    EXPECT_EQ(response->body, "PATCH /a?b=c hello");
    EXPECT_EQ(response->header("x-token"), "Bearer secret");
  }
  EXPECT_EQ(server.requests(), 3U);
  EXPECT_EQ(server.connections(), 1U);
}

TEST(HttpClient, ThreadsMayAskAtOnce) {
  HttpServer server(echo);
  Client client;
  std::vector<std::future<std::string>> answers;
  for (int i = 0; i < 8; ++i) {
    answers.push_back(std::async(std::launch::async, [&, i] {
      return client.perform(get(server, "/" + std::to_string(i)))->body;
    }));
  }
  for (int i = 0; i < 8; ++i) EXPECT_EQ(answers[i].get(), "GET /" + std::to_string(i) + " ");
}

TEST(HttpClient, AUnixSocketIsAPlaceToo) {
  const support::TemporaryFolder folder;
  const std::string path = folder.path() / "socket";
  HttpServer server(echo, path);
  Request request;
  request.url = "http://engine/info";
  request.unix_socket = path;
  request.allow_address = [](const std::string&, std::uint16_t) { return false; };
  const auto response = Client().perform(request);
  ASSERT_TRUE(response.is_ok()) << response.status().to_string();
  EXPECT_EQ(response->body, "GET /info ");
}

TEST(HttpClient, ABodyMayComeFromACallbackWithOrWithoutItsSize) {
  HttpServer server(echo);
  Client client;
  for (const bool sized : {true, false}) {
    Request request = get(server);
    request.method = "PUT";
    std::string left = "twelve bytes";
    if (sized) request.body_bytes = left.size();
    request.read_body = [&left](char* buffer, std::size_t size) {
      const std::size_t count = left.copy(buffer, std::min<std::size_t>(size, 5));
      left.erase(0, count);
      return count;
    };
    const auto response = client.perform(request);
    ASSERT_TRUE(response.is_ok()) << response.status().to_string();
    EXPECT_EQ(response->body, "PUT / twelve bytes");
  }
}

TEST(HttpClient, AGoodBodyIsStreamedAndABadOneKept) {
  HttpServer server([](const ServerRequest& request, ServerConnection& connection) {
    connection.respond(request.target == "/good" ? 200 : 409, "words");
  });
  std::string streamed;
  const auto ask = [&](const std::string& path) {
    Request request = get(server, path);
    request.on_body = [&](const Response& head, std::string_view bytes) {
      EXPECT_EQ(head.status, 200U);
      streamed += bytes;
      return Flow::kContinue;
    };
    return Client().perform(request);
  };
  EXPECT_EQ(ask("/good")->body, "");
  EXPECT_EQ(streamed, "words");
  EXPECT_EQ(ask("/bad")->body, "words");
  EXPECT_EQ(streamed, "words");
}

TEST(HttpClient, AReaderMayStopAndAnAnswerMayBeTooLong) {
  HttpServer server([](const ServerRequest&, ServerConnection& connection) {
    connection.begin_chunks(200);
    while (connection.chunk(std::string(1000, 'x'))) {
    }
  });
  Request request = get(server);
  request.response_bytes_max = 5000;
  EXPECT_EQ(reason_of(Client().perform(request)), "http_too_large");
  request.on_body = [](const Response&, std::string_view) { return Flow::kStop; };
  EXPECT_EQ(reason_of(Client().perform(request)), "http_stopped");
}

TEST(HttpClient, ASilentServerIsLeftAndAnActiveOneIsNot) {
  HttpServer server([](const ServerRequest& request, ServerConnection& connection) {
    if (request.target == "/hung") {
      connection.wait_gone(seconds(20));
    } else {
      connection.begin_chunks(200);
      connection.chunk("half");
      connection.wait_gone(seconds(20));
    }
    connection.hang_up();
  });
  for (const char* path : {"/hung", "/half"}) {
    Request request = get(server, path);
    request.timeouts.silence = Milliseconds(100);
    EXPECT_EQ(reason_of(Client().perform(request)), "http_timeout") << path;
    request.timeouts = {};
    request.timeouts.total = Milliseconds(100);
    EXPECT_EQ(reason_of(Client().perform(request)), "http_timeout") << path;
  }
}

TEST(HttpClient, AConnectionThatEndsTooEarlyIsNoAnswer) {
  HttpServer server([](const ServerRequest& request, ServerConnection& connection) {
    if (request.target == "/length") {
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
    } else if (request.target == "/chunks") {
      connection.begin_chunks(200);
      connection.chunk("only this");
    } else if (request.target == "/nonsense") {
      connection.send("I speak no HTTP\r\n\r\n");
    }
    connection.hang_up();
  });
  for (const char* path : {"/length", "/chunks", "/nonsense", "/nothing"}) {
    EXPECT_EQ(reason_of(Client().perform(get(server, path))), "http_broken") << path;
  }
}

TEST(HttpClient, AnotherThreadMayCancel) {
  std::promise<void> arrived;
  HttpServer server([&](const ServerRequest&, ServerConnection& connection) {
    arrived.set_value();
    connection.wait_gone(seconds(20));
    connection.hang_up();
  });
  std::stop_source stop;
  Request request = get(server);
  request.cancel = stop.get_token();
  std::thread other([&] {
    arrived.get_future().wait();
    stop.request_stop();
  });
  EXPECT_EQ(reason_of(Client().perform(request)), "http_cancelled");
  other.join();
  EXPECT_EQ(reason_of(Client().perform(request)), "http_cancelled");
  EXPECT_EQ(server.requests(), 1U);
}

TEST(HttpClient, RedirectsAreFollowedOnlyWhenAllowed) {
  HttpServer server([](const ServerRequest& request, ServerConnection& connection) {
    if (request.target == "/end") return connection.respond(200, "end");
    if (request.target == "/file") {
      return connection.respond(302, "", {{"Location", "file:///etc/passwd"}});
    }
    connection.respond(302, "", {{"Location", request.target == "/loop" ? "/loop" : "/end"}});
  });
  Client client;
  EXPECT_EQ(client.perform(get(server))->status, 302U);
  Request request = get(server);
  request.redirects_max = 3;
  EXPECT_EQ(client.perform(request)->body, "end");
  request.url = server.url() + "/loop";
  EXPECT_EQ(reason_of(client.perform(request)), "http_too_many_redirects");
  request.url = server.url() + "/file";
  EXPECT_EQ(reason_of(client.perform(request)), "http_bad_request");
}

TEST(HttpClient, TheAddressFilterIsAskedForTheResolvedAddressBeforeAnythingIsSent) {
  HttpServer server(echo);
  Request request = get(server);
  request.url = "http://localhost:" + std::to_string(server.port()) + "/";
  std::vector<std::string> asked;
  request.allow_address = [&](const std::string& address, std::uint16_t port) {
    EXPECT_EQ(port, server.port());
    asked.push_back(address);
    return is_public_address(address);
  };
  const auto refused = Client().perform(request);
  EXPECT_EQ(reason_of(refused), "http_address_refused");
  EXPECT_THAT(refused.status().message(), HasSubstr("is not allowed"));
  EXPECT_THAT(asked, ::testing::Contains("127.0.0.1"));
  EXPECT_EQ(server.connections(), 0U);
  request.allow_address = [](const std::string&, std::uint16_t) { return true; };
  EXPECT_EQ(reason_of(Client().perform(request)), "ok 200");
}

TEST(HttpClient, WhatCannotBeSentIsRefusedAndSecretsAreNotRepeated) {
  Client client;
  Request request;
  request.url = "ftp://example.org/";
  EXPECT_EQ(reason_of(client.perform(request)), "http_bad_request");
  request.url = "http://user:hush@127.0.0.1:1/path?token=hush";
  const auto unreachable = client.perform(request);
  EXPECT_EQ(reason_of(unreachable), "http_unreachable");
  EXPECT_THAT(unreachable.status().message(), Not(HasSubstr("hush")));
  request.headers = {{"X-Bad", "a\r\nInjected: yes"}};
  EXPECT_EQ(reason_of(client.perform(request)), "http_bad_request");
  request.headers = {};
  request.bearer_token = "hush\n";
  EXPECT_THAT(client.perform(request).status().message(), Not(HasSubstr("hush")));
}

std::string source_folder() {
  const char* folder = std::getenv("ASSAY_SOURCE");  // NOLINT(concurrency-mt-unsafe): nobody writes
  return folder == nullptr ? "." : folder;
}

class HttpTls : public ::testing::Test {
 protected:
  std::string certificates() const { return source_folder() + "/tests/support/tls/"; }
  Request request() {
    Request out;
    out.url = "https://127.0.0.1:" + port_ + "/";
    out.tls.ca_file = certificates() + "ca.pem";
    return out;
  }
  support::TemporaryFolder folder_;
  support::Process server_{{"/usr/bin/python3", source_folder() + "/tests/support/tls_server.py"},
                           folder_.path() / "log",
                           true};
  std::string port_ = server_.ready_line();
};

TEST_F(HttpTls, OnlyTheRightAuthorityIsTrusted) {
  ASSERT_NE(port_, "");
  EXPECT_EQ(Client().perform(request())->body, "nobody");
  Request other = request();
  other.tls.ca_file = "";
  EXPECT_EQ(reason_of(Client().perform(other)), "http_tls");
  other.tls.ca_text = support::read_file(certificates() + "client.pem");
  EXPECT_EQ(reason_of(Client().perform(other)), "http_tls");
  other.tls.ca_text = support::read_file(certificates() + "ca.pem");
  EXPECT_EQ(reason_of(Client().perform(other)), "ok 200");
  other.tls = {.insecure = true};
  EXPECT_EQ(reason_of(Client().perform(other)), "ok 200");
}

TEST_F(HttpTls, AClientCertificateIsShownFromFilesOrText) {
  Request with_files = request();
  with_files.tls.certificate_file = certificates() + "client.pem";
  with_files.tls.key_file = certificates() + "client.key";
  EXPECT_EQ(Client().perform(with_files)->body, "client");
  Request with_text = request();
  with_text.tls.certificate_text = support::read_file(certificates() + "client.pem");
  with_text.tls.key_text = support::read_file(certificates() + "client.key");
  EXPECT_EQ(Client().perform(with_text)->body, "client");
}

}  // namespace
}  // namespace assay::http
