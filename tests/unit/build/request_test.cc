// What may be asked of a build worker, and what may not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "assay/build.h"
#include "sdk/build/build_rules.h"

namespace assay {
namespace {

using testing::HasSubstr;

BuildRequest good_request() {
  BuildRequest request;
  request.git_url = "https://git.example/team/bench.git";
  request.tags = {"registry.example:5000/team/bench:v2"};
  return request;
}

std::string problems_with(const std::string& yaml) {
  const Result<BuildRequest> request = decode_build(yaml);
  return request.is_ok() ? "" : request.status().message();
}

TEST(BuildRequest, WhatWasEncodedIsDecodedTheSame) {
  BuildRequest request = good_request();
  request.git_ref = "v1.2";
  request.submodules = true;
  request.subdirectory = "docker/asr";
  request.arguments = {{"A", "1"}, {"PYTHON", "3.11 \"quoted\" ünï\n"}};
  request.labels = {{"team", "speech"}};
  request.target = "runtime";
  request.platforms = {"linux/amd64", "linux/arm64"};
  request.cache_from = {"registry.example/team/bench:latest"};
  request.cache = false;
  request.pull = true;
  request.network = false;
  request.memory_bytes = 3ULL << 30;
  request.cpus = 1.5;
  request.timeout = Duration(61'500);
  request.scan_fail_at = "high";
  BuildValidation& validation = request.validation.emplace();
  validation.command = {"serve", "--port=1"};
  validation.environment = {{"X", "y"}};
  validation.port = 9000;
  validation.health_path = "/health";
  validation.inference_path = "/v1/x?y=1";
  validation.inference_body = R"({"a": 1})";
  validation.inference_status = 201;
  validation.inference_fields = {{"/a/0", "b"}};
  validation.inference_text = "hello";
  const Result<BuildRequest> decoded = decode_build(encode_build(request));
  ASSERT_TRUE(decoded.is_ok()) << decoded.status().message();
  EXPECT_EQ(*decoded, request);
}

TEST(BuildRequest, AnInlineArchiveMayHoldAnyBytes) {
  BuildRequest request;
  request.tags = {"registry.example/a:b"};
  for (int i = 0; i < 1000; ++i) request.context_archive += static_cast<char>(i * 7);
  const Result<BuildRequest> decoded = decode_build(encode_build(request));
  ASSERT_TRUE(decoded.is_ok()) << decoded.status().message();
  EXPECT_EQ(decoded->context_archive, request.context_archive);
}

TEST(BuildRequest, AllMistakesAreToldAtOnceWithTheirLines) {
  const std::string problems = problems_with(
      "version: 2\n"
      "source: {git: 'file:///etc'}\n"
      "tags: [UPPER/x]\n"
      "cpus: many\n"
      "platfroms: [linux/amd64]\n");
  EXPECT_THAT(problems, HasSubstr("build:1: version"));
  EXPECT_THAT(problems, HasSubstr("build:2: source: git: expected https://"));
  EXPECT_THAT(problems, HasSubstr("build:3: tags"));
  EXPECT_THAT(problems, HasSubstr("build:4: cpus"));
  EXPECT_THAT(problems, HasSubstr("build:5: unknown key 'platfroms'; did you mean 'platforms'?"));
}

TEST(BuildRequest, ARequestNeedsOneSourceOrTextAlone) {
  BuildRequest request = good_request();
  request.context_archive = "x";
  EXPECT_THAT(build_problems(request), HasSubstr("exactly one of git, artifact and archive"));
  request = good_request();
  request.git_url.clear();
  EXPECT_THAT(build_problems(request), HasSubstr("exactly one of"));
  request.dockerfile_text = "FROM scratch\n";
  EXPECT_EQ(build_problems(request), "");
}

TEST(BuildRequest, HostileGitUrlsAreRefused) {
  for (const char* url : {"file:///etc/passwd",
                          "ext::sh -c 'touch /tmp/x'",
                          "ext::sh",
                          "--upload-pack=touch /tmp/x",
                          "-oProxyCommand=x",
                          "https://user:secret@host/x",
                          "ssh://-oProxyCommand=x/y",
                          "git@host:-x",
                          "git@-oProxyCommand=x:y",
                          "ssh://host/-x",
                          "https://host/a;b",
                          "https://host/$(x)",
                          "https://host/a b",
                          "https://host/a\nb",
                          "/etc",
                          "../x",
                          ".",
                          "https://",
                          "https:///x",
                          "ftp://host/x",
                          "fd::17/foo",
                          "a@b::c",
                          "https://host/`id`",
                          "https://host/a|b",
                          "https://host/a&b",
                          "https://host/\x01",
                          "user@host",
                          "https://host"}) {
    EXPECT_NE(build::git_url_problem(url), "") << url;
  }
  for (const char* url : {"https://git.example/team/a.git", "ssh://git@host:2222/a",
                          "git@git.example:team/a.git", "http://127.0.0.1:8080/x", "git://h/x"}) {
    EXPECT_EQ(build::git_url_problem(url), "") << url;
  }
  EXPECT_EQ(build::git_host("https://Git.Example:8443/x"), "git.example");
  EXPECT_EQ(build::git_host("git@git.example:team/a.git"), "git.example");
  EXPECT_EQ(build::git_protocol("git@git.example:team/a.git"), "ssh");
}

TEST(BuildRequest, HostileRefsAreRefused) {
  for (const char* ref : {"-x", "--upload-pack=x", "a..b", "a b", "a:b", "+a", "a~1", "a^", "@{u}",
                          "a\\b", "a*", "a?", "/a", "a/", "a//b", "a.lock", "a;b", "$(x)", "a\n"}) {
    EXPECT_NE(build::git_ref_problem(ref), "") << ref;
  }
  for (const char* ref : {"main", "v1.2.3", "feature/a-b_c", "release+1",
                          "0123456789abcdef0123456789abcdef01234567"}) {
    EXPECT_EQ(build::git_ref_problem(ref), "") << ref;
  }
}

TEST(BuildRequest, HostilePathsAreRefused) {
  for (const char* path :
       {"/etc", "..", "../x", "a/../../b", "a/..", "a//b", "a\\..\\b", "a\x01", ""}) {
    EXPECT_NE(build::context_path_problem(path), "") << path;
  }
  EXPECT_EQ(build::context_path_problem("docker/asr/Dockerfile.gpu"), "");
  EXPECT_EQ(build::context_path_problem("a b/$(x)"),
            "");  // odd, and only a name: no shell reads it
}

TEST(BuildRequest, HostileImageNamesAreRefused) {
  for (const char* image : {"bench:v1",
                            "a/b:c",
                            "-x/y:z",
                            "registry.example/../x:y",
                            "registry.example/A:b",
                            "registry.example/a:b:c",
                            "registry.example/a;b",
                            "registry.example/a b",
                            "registry.example/a:$(x)",
                            "registry.example/a:-x",
                            "registry.example:port/a",
                            "registry.example/a@sha256:12",
                            "http://registry.example/a",
                            "registry.example/",
                            "",
                            "registry.example/a:",
                            "registry..example/a:b",
                            "registry.example/a__/b",
                            "registry.example/a.:b",
                            "registry.example/a?b=c",
                            "registry.example/a#b",
                            "..:5/x"}) {
    EXPECT_FALSE(parse_image_reference(image).is_ok()) << image;
  }
  EXPECT_FALSE(parse_image_reference("r.example/" + std::string(256, 'a')).is_ok());
  EXPECT_FALSE(parse_image_reference("r.example/a:" + std::string(129, 'a')).is_ok());
}

TEST(BuildRequest, ImageNamesHaveTheirParts) {
  const Result<ImageReference> full = parse_image_reference("localhost:5000/team/a__b.c-d:v1_x");
  ASSERT_TRUE(full.is_ok()) << full.status().message();
  EXPECT_EQ(full->host, "localhost:5000");
  EXPECT_EQ(full->path, "team/a__b.c-d");
  EXPECT_EQ(full->tag, "v1_x");
  EXPECT_EQ(parse_image_reference("registry.example/a")->tag, "latest");
  const std::string digest = "sha256:" + std::string(64, 'a');
  const Result<ImageReference> pinned = parse_image_reference("registry.example/a@" + digest);
  ASSERT_TRUE(pinned.is_ok());
  EXPECT_EQ(pinned->digest, digest);
  EXPECT_EQ(pinned->text(), "registry.example/a@" + digest);
  EXPECT_EQ(parse_image_reference("python:3.11", false)->path, "python");
}

TEST(BuildRequest, AbsurdNumbersAreRefused) {
  BuildRequest request = good_request();
  for (int i = 0; i < 100'000; ++i) request.arguments["A" + std::to_string(i)] = "x";
  EXPECT_THAT(build_problems(request), HasSubstr("args: at most 200, found 100000"));
  EXPECT_LT(build_problems(request).size(), 1000U);
  request = good_request();
  request.arguments = {{"A", std::string(10'000, 'x')}, {"B", std::string("a\0b", 3)}, {"C=D", ""}};
  EXPECT_THAT(build_problems(request), HasSubstr("longer than 8192"));
  EXPECT_THAT(build_problems(request), HasSubstr("zero byte"));
  EXPECT_THAT(build_problems(request), HasSubstr("expected a name of letters"));
  request = good_request();
  request.tags.assign(17, "registry.example/a:b");
  EXPECT_THAT(build_problems(request), HasSubstr("at most 16, found 17"));
  request = good_request();
  request.labels = {{"io.assay.build.key", "forged"}};
  EXPECT_THAT(build_problems(request), HasSubstr("io.assay. are the worker's own"));
}

TEST(BuildRequest, NoBytesMakeTheDecoderFail) {
  for (const std::string& bytes :
       {std::string(), std::string(1000, '['), std::string("\x00\xff\xfe", 3), std::string("{"),
        std::string("- a"), std::string("version: 1\ntags: {a: b}"), std::string("&a [*a]")}) {
    EXPECT_FALSE(decode_build(bytes).is_ok());
  }
}

}  // namespace
}  // namespace assay
