// What an image runs, asked of a scripted registry.
#include "workers/eval/executor/kubernetes/image_program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/support/http_server.h"

namespace assay::eval::kubernetes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kDigest = "sha256:" + std::string(64, 'a');
const std::string kOther = "sha256:" + std::string(64, 'b');

class ImageProgramTest : public ::testing::Test {
 protected:
  // What is at a path below the image's, and with which status.
  void put(const std::string& path, std::string body, unsigned int status = 200) {
    answers_["/v2/team/bench/" + path] = {status, std::move(body)};
  }
  void put_image(const std::string& tag, const std::string& config) {
    put("manifests/" + tag, R"({"config":{"digest":"sha256:c"}})");
    put("blobs/sha256:c", R"({"config":)" + config + "}");
  }
  Result<ImageProgram> ask(const std::string& end, const std::vector<std::string>& arguments = {}) {
    return read_image_program(client_, host_ + "/team/bench" + end, arguments);
  }

  std::map<std::string, std::pair<unsigned int, std::string>> answers_;
  support::HttpServer server_{
      [this](const support::ServerRequest& request, support::ServerConnection& connection) {
        const auto found = answers_.find(request.path());
        if (found == answers_.end()) return connection.respond(404, "{}");
        connection.respond(found->second.first, found->second.second,
                           {{"Docker-Content-Digest", kDigest}});
      }};
  std::string host_ = "127.0.0.1:" + std::to_string(server_.port());
  http::Client client_;
};

TEST_F(ImageProgramTest, ATagIsPinnedAndItsOwnWordsAreRun) {
  put_image("v2", R"({"Entrypoint":["/run"],"Cmd":["all"],"WorkingDir":"/app"})");
  const auto program = ask(":v2");
  ASSERT_TRUE(program.is_ok()) << program.status().to_string();
  EXPECT_EQ(program->image, host_ + "/team/bench@" + kDigest);
  EXPECT_THAT(program->command, ElementsAre("/run", "all"));
  EXPECT_EQ(program->folder, "/app");
}

TEST_F(ImageProgramTest, ArgumentsTakeThePlaceOfTheImagesOwn) {
  put_image("v2", R"({"Entrypoint":["/run"],"Cmd":["all"]})");
  EXPECT_THAT(ask(":v2", {"one", "two"})->command, ElementsAre("/run", "one", "two"));
  put_image("plain", R"({"Cmd":["/all"],"Entrypoint":null})");
  EXPECT_THAT(ask(":plain")->command, ElementsAre("/all"));
}

TEST_F(ImageProgramTest, AnImageByItsDigestIsAskedForByIt) {
  put_image(kDigest, R"({"Cmd":["/all"]})");
  const auto program = ask("@" + kDigest);
  ASSERT_TRUE(program.is_ok()) << program.status().to_string();
  EXPECT_EQ(program->image, host_ + "/team/bench@" + kDigest);
}

TEST_F(ImageProgramTest, OfAnIndexTheImageForThisPlatformIsTaken) {
  put("manifests/v2", R"({"manifests":[
      {"digest":"sha256:x","platform":{"os":"linux","architecture":"arm64"}},
      {"digest":")" + kOther +
                          R"(","platform":{"os":"linux","architecture":"amd64"}}]})");
  put_image(kOther, R"({"Cmd":["/all"]})");
  EXPECT_TRUE(ask(":v2").is_ok());
  put("manifests/arm", R"({"manifests":[{"digest":"x","platform":{"os":"linux"}}]})");
  EXPECT_THAT(ask(":arm").status().message(), HasSubstr("linux/amd64"));
}

TEST_F(ImageProgramTest, WhatCannotBeRunIsSaidAndWhoseFaultItIs) {
  EXPECT_EQ(ask(":none").status().reason(), "image_not_found");
  put("manifests/secret", "{}", 401);
  EXPECT_EQ(ask(":secret").status().reason(), "image_refused");
  put("manifests/busy", "{}", 503);
  EXPECT_EQ(ask(":busy").status().code(), Code::kRetryLater);
  put_image("empty", "{}");
  EXPECT_THAT(ask(":empty").status().message(), HasSubstr("names nothing to run"));
  for (const char* text : {"[]", "no json", "{}", R"({"config":7})", R"({"manifests":{"a":1}})"}) {
    put("manifests/odd", text);
    EXPECT_EQ(ask(":odd").status().reason(), "invalid_image") << text;
  }
  put_image("words", R"({"Cmd":"all"})");
  EXPECT_EQ(ask(":words").status().reason(), "invalid_image");
  EXPECT_EQ(read_image_program(client_, "no host", {}).status().code(), Code::kFixInput);
  EXPECT_EQ(read_image_program(client_, "127.0.0.1:1/a:b", {}).status().code(), Code::kRetryLater);
}

}  // namespace
}  // namespace assay::eval::kubernetes
