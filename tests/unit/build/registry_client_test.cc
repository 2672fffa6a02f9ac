// The registry API, against a scripted registry on loopback.
#include "workers/build/registry/registry_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "sdk/wire/base64.h"
#include "tests/support/http_server.h"
#include "tests/support/process.h"

namespace assay::image_build {
namespace {

using support::HttpServer;
using support::ServerConnection;
using support::ServerRequest;
using testing::HasSubstr;

constexpr const char* kManifest =
    R"({"config": {"size": 100}, "layers": [{"size": 1000}, {"size": 2000}, {}]})";

class Registry : public testing::Test {
 protected:
  ImageReference image() const {
    return {"127.0.0.1:" + std::to_string(server_->port()), "team/a", "v1", ""};
  }
  Result<ManifestInfo> ask() { return RegistryClient(settings_).manifest(image(), {}); }
  void write_password() {
    std::ofstream(temporary_.path() / "password") << "secret\n";
    settings_.access[image().host] = {"me", temporary_.path() / "password", false, ""};
  }

  support::TemporaryFolder temporary_;
  std::optional<HttpServer> server_;
  RegistrySettings settings_;
};

TEST_F(Registry, AManifestHasItsDigestAndTheCompressedSize) {
  server_.emplace([](const ServerRequest& request, ServerConnection& connection) {
    EXPECT_EQ(request.target, "/v2/team/a/manifests/v1");
    EXPECT_THAT(request.headers.at("accept"), HasSubstr("manifest.list"));
    connection.respond(200, kManifest, {{"Docker-Content-Digest", "sha256:1"}});
  });
  const Result<ManifestInfo> manifest = ask();
  ASSERT_TRUE(manifest.is_ok()) << manifest.status().message();
  EXPECT_EQ(manifest->digest, "sha256:1");
  EXPECT_EQ(manifest->image_bytes, 3100U);
}

TEST_F(Registry, ATokenIsFetchedWithTheHostsCredential) {
  const std::string basic = "Basic " + wire::encode_base64("me:secret");
  server_.emplace([&](const ServerRequest& request, ServerConnection& connection) {
    if (request.path() == "/token") {
      EXPECT_EQ(request.headers.at("authorization"), basic);
      EXPECT_EQ(request.query("scope"), "repository:team/a:pull");
      return connection.respond(200, R"({"token": "t0ken"})");
    }
    const auto authorization = request.headers.find("authorization");
    if (authorization != request.headers.end() && authorization->second == "Bearer t0ken") {
      return connection.respond(200, kManifest);
    }
    connection.respond(401, "",
                       {{"WWW-Authenticate", "Bearer realm=\"" + server_->url() +
                                                 "/token\",service=\"s\",scope=\"repository:"
                                                 "team/a:pull\""}});
  });
  write_password();
  const Result<ManifestInfo> manifest = ask();
  EXPECT_TRUE(manifest.is_ok()) << manifest.status().message();
}

TEST_F(Registry, BasicAuthenticationIsAnswered) {
  server_.emplace([](const ServerRequest& request, ServerConnection& connection) {
    if (request.headers.contains("authorization")) return connection.respond(200, kManifest);
    connection.respond(401, "", {{"WWW-Authenticate", "Basic realm=\"x\""}});
  });
  EXPECT_EQ(ask().status().reason(), "registry_refused");
  write_password();
  EXPECT_TRUE(ask().is_ok());
}

TEST_F(Registry, AnswersDecideWhatACallerShouldDo) {
  unsigned int status = 404;
  server_.emplace([&status](const ServerRequest&, ServerConnection& connection) {
    connection.respond(status, "{}");
  });
  EXPECT_EQ(ask().status().code(), Code::kNotFound);
  for (const unsigned int later : {429U, 500U, 503U}) {
    status = later;
    EXPECT_EQ(ask().status().code(), Code::kRetryLater) << later;
  }
  status = 403;
  EXPECT_EQ(ask().status().code(), Code::kFixInput);
}

TEST_F(Registry, ARegistryThatIsAwayMayComeBack) {
  const ImageReference nobody{"127.0.0.1:1", "a", "v1", ""};
  EXPECT_EQ(RegistryClient({}).manifest(nobody, {}).status().reason(), "registry_unreachable");
}

TEST_F(Registry, AnIndexNamesEachPlatform) {
  std::string body;
  server_.emplace([&body](const ServerRequest& request, ServerConnection& connection) {
    EXPECT_EQ(request.method, "PUT");
    body = request.body;
    connection.respond(201, "", {{"Docker-Content-Digest", "sha256:9"}});
  });
  const Result<std::string> digest = RegistryClient(settings_).put_index(
      image(), {{"sha256:1", "m", 5, "linux/amd64"}, {"sha256:2", "m", 6, "linux/arm/v7"}}, {});
  ASSERT_TRUE(digest.is_ok()) << digest.status().message();
  EXPECT_EQ(*digest, "sha256:9");
  EXPECT_THAT(body, HasSubstr(R"("platform":{"architecture":"arm","os":"linux","variant":"v7"})"));
}

TEST_F(Registry, ChallengesAreReadWhateverTheySay) {
  const auto challenge =
      parse_challenge("Bearer realm=\"https://a/t\",service=\"s\",scope=\"x,y\"");
  ASSERT_TRUE(challenge);
  EXPECT_EQ(challenge->realm, "https://a/t");
  EXPECT_EQ(challenge->scope, "x,y");
  for (const char* text : {"", "Basic realm=\"x\"", "Bearer", "Bearer realm=\"file:///x\"",
                           "Bearer realm=\"", "Bearer service=\"s\""}) {
    EXPECT_FALSE(parse_challenge(text)) << text;
  }
}

}  // namespace
}  // namespace assay::image_build
