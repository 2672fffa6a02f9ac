// The Engine API, against a scripted engine on a Unix socket.
#include "workers/build/docker/engine_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "sdk/wire/base64.h"
#include "tests/support/http_server.h"
#include "tests/support/process.h"
#include "workers/build/docker/engine_request.h"

namespace assay::image_build {
namespace {

using support::HttpServer;
using support::ServerConnection;
using support::ServerRequest;
using testing::HasSubstr;

class Engine : public testing::Test {
 protected:
  std::string socket() const { return temporary_.path() / "engine.sock"; }
  void serve(HttpServer::Handler handler) {
    server_.emplace(
        [this, handler = std::move(handler)](const ServerRequest& request,
                                             ServerConnection& connection) {
          {
            const std::scoped_lock lock(mutex_);
            last_ = request;
          }
          handler(request, connection);
        },
        socket());
  }
  void answer(unsigned int status, const std::string& body) {
    serve([status, body](const ServerRequest&, ServerConnection& connection) {
      connection.respond(status, body);
    });
  }
  ServerRequest last() {
    const std::scoped_lock lock(mutex_);
    return last_;
  }
  static ImageBuild small_build() {
    ImageBuild build;
    build.dockerfile = "Dockerfile";
    build.context = [sent = false](char* to, std::size_t) mutable -> Result<std::size_t> {
      if (std::exchange(sent, true)) return std::size_t{0};
      std::copy_n("tar", 3, to);
      return std::size_t{3};
    };
    return build;
  }

  support::TemporaryFolder temporary_;
  std::mutex mutex_;
  ServerRequest last_;
  std::optional<HttpServer> server_;
  EngineClient engine_{socket()};
  OnEngineMessage ignore_ = [](const EngineMessage&) {};
};

TEST_F(Engine, WithoutAnEngineEveryCallSaysSo) {
  const Result<EngineInfo> info = engine_.info({});
  EXPECT_EQ(info.status().reason(), "engine_unreachable");
  EXPECT_EQ(info.status().code(), Code::kRetryLater);
  EXPECT_THAT(info.status().message(), HasSubstr(socket()));
}

TEST_F(Engine, OnlySocketsOfThisMachineAreTaken) {
  EXPECT_EQ(*socket_of("unix:///var/run/docker.sock"), "/var/run/docker.sock");
  for (const char* host : {"tcp://1.2.3.4:2375", "ssh://x", "unix://relative", "", "/var/run/x"}) {
    EXPECT_FALSE(socket_of(host).is_ok()) << host;
  }
}

TEST_F(Engine, ABuildSendsItsContextAndTellsTheImage) {
  serve([](const ServerRequest&, ServerConnection& connection) {
    connection.begin_chunks(200);
    connection.chunk("{\"stream\":\"Step 1/1 : FROM a\\n\"}\n{\"aux\":{\"ID\":");
    connection.chunk("\"sha256:1\"}}\n");
    connection.end_chunks();
  });
  ImageBuild build = small_build();
  build.arguments = {{"A", "x&y=\"z\""}};
  build.labels = {{"l", "v"}};
  build.memory_bytes = 1000;
  build.cpus = 1.5;
  build.network = false;
  build.cache = false;
  build.credentials = {{"r.example", {"me", "secret"}}};
  std::string text;
  const Result<std::string> image =
      engine_.build(build, [&](const EngineMessage& m) { text += m.text; }, {});
  ASSERT_TRUE(image.is_ok()) << image.status().message();
  EXPECT_EQ(*image, "sha256:1");
  EXPECT_EQ(text, "Step 1/1 : FROM a\n");
  EXPECT_EQ(last().body, "tar");
  EXPECT_EQ(last().query("buildargs"), R"({"A":"x&y=\"z\""})");
  EXPECT_EQ(last().query("networkmode"), "none");
  EXPECT_EQ(last().query("cpuquota"), "150000");
  EXPECT_EQ(last().query("nocache"), "1");
  EXPECT_EQ(last().query("forcerm"), "1");
  EXPECT_EQ(last().headers["x-registry-config"],
            wire::encode_base64(R"({"r.example":{"password":"secret","username":"me"}})"));
}

TEST_F(Engine, AStepThatFailsIsTheTasksAffair) {
  answer(200,
         "{\"errorDetail\":{\"code\":2,\"message\":\"returned a non-zero code: 2\"},"
         "\"error\":\"returned a non-zero code: 2\"}\n");
  const Result<std::string> image = engine_.build(small_build(), ignore_, {});
  EXPECT_EQ(image.status().reason(), "build_failed");
  EXPECT_EQ(image.status().code(), Code::kFixInput);
}

TEST_F(Engine, ABuildWhoseAnswerIsCutShortIsTheEnginesAffair) {
  serve([](const ServerRequest&, ServerConnection& connection) {
    connection.begin_chunks(200);
    connection.chunk("{\"stream\":\"Step 1/1 : FROM a\\n\"}\n");
    connection.hang_up();
  });
  EXPECT_EQ(engine_.build(small_build(), ignore_, {}).status().reason(), "engine_unreachable");
}

TEST_F(Engine, AContextThatBreaksEndsTheBuildAndIsTheReason) {
  std::atomic<bool> gone = false;
  serve([&gone](const ServerRequest&, ServerConnection& connection) {
    gone = connection.wait_gone(std::chrono::seconds(20));
  });
  ImageBuild build = small_build();
  build.context = [](char*, std::size_t) -> Result<std::size_t> {
    return fix_input("unreadable_context", "'z' changed while it was sent");
  };
  EXPECT_EQ(engine_.build(build, ignore_, {}).status().reason(), "unreadable_context");
}

TEST_F(Engine, AStopClosesTheConnectionWhichIsWhatEndsTheEnginesWork) {
  std::stop_source stop;
  std::atomic<bool> gone = false;
  serve([&](const ServerRequest&, ServerConnection& connection) {
    connection.begin_chunks(200);
    connection.chunk("{\"stream\":\"Step 1/1 : RUN sleep 1000\\n\"}\n");
    gone = connection.wait_gone(std::chrono::seconds(20));
  });
  const auto on_message = [&stop](const EngineMessage&) { stop.request_stop(); };
  EXPECT_EQ(engine_.build(small_build(), on_message, stop.get_token()).status().reason(),
            "stopped");
  EXPECT_TRUE(support::eventually([&] { return gone.load(); }));
}

TEST_F(Engine, APushTellsTheDigestAndSendsTheCredential) {
  answer(200, "{\"status\":\"Pushed\",\"id\":\"a\"}\n{\"aux\":{\"Digest\":\"sha256:2\"}}\n");
  const Result<std::string> digest = engine_.push("r.example/a", "v1", {"me", "s"}, ignore_, {});
  ASSERT_TRUE(digest.is_ok()) << digest.status().message();
  EXPECT_EQ(*digest, "sha256:2");
  EXPECT_EQ(last().path(), "/v1.41/images/r.example/a/push");
  EXPECT_EQ(last().query("tag"), "v1");
  EXPECT_EQ(last().headers["x-registry-auth"], registry_auth({"me", "s"}));
}

TEST_F(Engine, APushThatIsRefusedIsFinalAndOneThatFailsIsNot) {
  answer(200, "{\"error\":\"denied: requested access to the resource is denied\"}\n");
  EXPECT_EQ(engine_.push("r.example/a", "v1", {}, ignore_, {}).status().code(), Code::kFixInput);
  answer(200, "{\"error\":\"Get http://r.example/v2/: dial tcp: connection refused\"}\n");
  EXPECT_EQ(engine_.push("r.example/a", "v1", {}, ignore_, {}).status().code(), Code::kRetryLater);
}

TEST_F(Engine, AnswersDecideWhatACallerShouldDo) {
  answer(404, R"({"message":"No such image: x"})");
  EXPECT_EQ(engine_.inspect_image("x", {}).status().code(), Code::kNotFound);
  EXPECT_TRUE(engine_.remove_container("x", {}).is_ok());
  EXPECT_TRUE(engine_.remove_network("x", {}).is_ok());
  answer(500, R"({"message":"out of disk"})");
  EXPECT_EQ(engine_.start_container("x", {}).code(), Code::kRetryLater);
  EXPECT_THAT(engine_.start_container("x", {}).message(), HasSubstr("500: out of disk"));
  answer(400, "bad");
  EXPECT_EQ(engine_.start_container("x", {}).code(), Code::kFixInput);
  for (const char* nonsense : {"", "[]", "null", "{\"Id\":5}", "{\"State\":{\"Running\":\"x\"}}"}) {
    answer(200, nonsense);
    EXPECT_EQ(engine_.info({}).status().code(), Code::kRetryLater) << nonsense;
    EXPECT_FALSE(engine_.inspect_image("x", {}).is_ok()) << nonsense;
    EXPECT_FALSE(engine_.container_state("x", {}).is_ok()) << nonsense;
    EXPECT_FALSE(engine_.create_network("x", {}, {}).is_ok()) << nonsense;
  }
}

TEST_F(Engine, AContainerHasLimitsAndNoMoreRightsThanItNeeds) {
  answer(201, R"({"Id":"c1"})");
  ContainerSpec spec;
  spec.name = "assay-1";
  spec.image = "sha256:1";
  spec.network = "none";
  spec.memory_bytes = 64 << 20;
  spec.cpus = 0.5;
  EXPECT_EQ(*engine_.create_container(spec, {}), "c1");
  const std::string body = last().body;
  for (const char* part :
       {R"("NetworkMode":"none")", R"("Memory":67108864)", R"("MemorySwap":67108864)",
        R"("NanoCpus":500000000)", R"("PidsLimit":512)", "no-new-privileges", "NET_RAW"}) {
    EXPECT_THAT(body, HasSubstr(part));
  }
  EXPECT_EQ(last().query("name"), "assay-1");
}

}  // namespace
}  // namespace assay::image_build
