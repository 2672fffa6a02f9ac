// git, against a real server of its own on loopback.
#include "workers/build/source/git.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

#include "tests/support/process.h"
#include "workers/build/command.h"

namespace assay::image_build {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class Git : public testing::Test {
 protected:
  void SetUp() override {
    settings_.protocols = {"https", "http"};
    run({"init", "--quiet", "--initial-branch=main", repository()});
    write("Dockerfile", "FROM a\n");
    first_ = commit("first");
    run({"-C", repository(), "tag", "v1"});
    run({"-C", repository(), "checkout", "--quiet", "-b", "side"});
    write("side", "x");
    side_ = commit("side");
    run({"-C", repository(), "checkout", "--quiet", "main"});
    write("second", "x");
    second_ = commit("second");
  }

  std::string repository() const { return temporary_.path() / "root/a.git"; }
  std::string into() const { return temporary_.path() / "into"; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(repository() + "/" + name) << text;
  }
  std::string commit(const std::string& message) const {
    run({"-C", repository(), "add", "--all"});
    run({"-C", repository(), "commit", "--quiet", "-m", message});
    std::string id = run({"-C", repository(), "rev-parse", "HEAD"});
    id.pop_back();
    return id;
  }
  static std::string run(std::vector<std::string> arguments) {
    Command command;
    arguments.insert(arguments.begin(), "git");
    command.arguments = std::move(arguments);
    command.environment = {"GIT_CONFIG_NOSYSTEM=1",       "HOME=/nonexistent",
                           "GIT_AUTHOR_NAME=a",           "GIT_AUTHOR_EMAIL=a@b",
                           "GIT_COMMITTER_NAME=a",        "GIT_COMMITTER_EMAIL=a@b",
                           "GIT_ALLOW_PROTOCOL=file:http"};
    const Result<CommandEnd> end = run_command(command, {});
    EXPECT_TRUE(end.is_ok() && end->exit_code == 0) << end->errors;
    return end->output;
  }
  void serve(const std::string& credential = "") {
    const char* source = std::getenv("ASSAY_SOURCE");
    std::vector<std::string> command{"/usr/bin/python3", "-B",
                                     std::string(source) + "/tests/support/git_server.py",
                                     temporary_.path() / "root"};
    if (!credential.empty()) command.push_back(credential);
    server_.emplace(command, temporary_.path() / "server.log", true);
    url_ = "http://127.0.0.1:" + server_->ready_line() + "/a.git/.git";
  }
  Result<GitCommit> fetch(const std::string& ref, bool submodules = false) {
    fs::remove_all(into());
    fs::create_directories(into());
    fs::remove_all(temporary_.path() / "private");
    return fetch_git(settings_, {url_, ref, submodules}, into(), temporary_.path() / "private",
                     [this](std::string_view line) { log_ += std::string(line) + "\n"; }, {});
  }

  support::TemporaryFolder temporary_;
  std::optional<support::Process> server_;
  GitSettings settings_;
  std::string url_;
  std::string first_, side_, second_;
  std::string log_;
};

TEST_F(Git, ABranchATagACommitAndTheHeadAreFetchedAlone) {
  serve();
  for (const auto& [ref, commit] :
       std::vector<std::pair<std::string, std::string>>{{"", second_},
                                                        {"main", second_},
                                                        {"side", side_},
                                                        {"v1", first_},
                                                        {second_, second_},
                                                        {first_, first_},
                                                        {first_.substr(0, 10), first_}}) {
    const Result<GitCommit> fetched = fetch(ref);
    ASSERT_TRUE(fetched.is_ok()) << ref << ": " << fetched.status().message();
    EXPECT_EQ(fetched->id, commit) << ref;
    EXPECT_TRUE(fs::exists(into() + "/Dockerfile"));
    EXPECT_GT(fetched->committed_at.time_since_epoch().count(), 0);
  }
  ASSERT_TRUE(fetch("main").is_ok());
  EXPECT_EQ(run({"-C", into(), "rev-list", "--count", "HEAD"}), "1\n");
  EXPECT_FALSE(fs::exists(into() + "/.git/hooks"));
}

TEST_F(Git, WhatIsNotThereIsTheRequestsFault) {
  serve();
  const Result<GitCommit> fetched = fetch("no-such-branch");
  EXPECT_EQ(fetched.status().code(), Code::kFixInput);
  EXPECT_THAT(fetched.status().message(), HasSubstr("no-such-branch"));
}

TEST_F(Git, AServerThatIsAwayIsWorthAnotherTry) {
  url_ = "http://127.0.0.1:1/a.git";
  EXPECT_EQ(fetch("main").status().reason(), "git_unreachable");
}

TEST_F(Git, CredentialsComeFromTheConfigurationByHostAndAreSeenNowhere) {
  serve("me:s3cret/%");
  EXPECT_EQ(fetch("main").status().code(), Code::kFixInput);
  std::ofstream(temporary_.path() / "password") << "s3cret/%\n";
  const std::string host = url_.substr(7, url_.find('/', 7) - 7);
  settings_.credentials[host] = {"me", temporary_.path() / "password"};
  const Result<GitCommit> fetched = fetch("main");
  ASSERT_TRUE(fetched.is_ok()) << fetched.status().message();
  EXPECT_THAT(log_, Not(HasSubstr("s3cret")));
  EXPECT_FALSE(fs::exists(temporary_.path() / "private/credentials"));
  for (const auto& file : fs::recursive_directory_iterator(into())) {
    if (!file.is_regular_file()) continue;
    EXPECT_THAT(support::read_file(file.path()), Not(HasSubstr("s3cret"))) << file.path();
  }
  // Another host's are not offered.
  settings_.credentials = {{"git.example", {"me", temporary_.path() / "password"}}};
  EXPECT_EQ(fetch("main").status().code(), Code::kFixInput);
}

TEST_F(Git, ProtocolsAndHostsThatAreNotAllowedAreRefusedBeforeGitIsCalled) {
  settings_.program = "/bin/false";
  settings_.protocols = {"https"};
  for (const char* url : {"http://h/x", "git://h/x", "git@h:x", "file:///etc", "ext::sh -c id"}) {
    EXPECT_NE(git_refusal(settings_, {url, "main", false}), "") << url;
  }
  settings_.hosts = {"git.example"};
  EXPECT_THAT(git_refusal(settings_, {"https://elsewhere/x", "", false}),
              HasSubstr("does not fetch from elsewhere"));
  EXPECT_EQ(git_refusal(settings_, {"https://git.example/x", "", false}), "");
  EXPECT_NE(git_refusal(settings_, {"https://git.example/x", "--upload-pack=x", false}), "");
}

TEST_F(Git, NothingOfTheMachinesOwnConfigurationCounts) {
  const auto environment = git_environment(settings_, "/home-of-git");
  EXPECT_THAT(environment, Contains("GIT_CONFIG_NOSYSTEM=1"));
  EXPECT_THAT(environment, Contains("GIT_TERMINAL_PROMPT=0"));
  EXPECT_THAT(environment, Contains("GIT_ALLOW_PROTOCOL=https:http"));
  EXPECT_THAT(environment, Contains("HOME=/home-of-git"));
}

// A submodule that names a file of the machine must not bring it into an image.
TEST_F(Git, SubmodulesAreFetchedOnRequestAndByAllowedProtocolsOnly) {
  serve();
  run({"init", "--quiet", "--initial-branch=main", temporary_.path() / "root/b.git"});
  std::ofstream(temporary_.path() / "root/b.git/inner") << "x";
  run({"-C", temporary_.path() / "root/b.git", "add", "--all"});
  run({"-C", temporary_.path() / "root/b.git", "commit", "--quiet", "-m", "b"});
  const std::string inner = url_.substr(0, url_.find("/a.git")) + "/b.git/.git";
  run({"-C", repository(), "submodule", "--quiet", "add", inner, "sub"});
  commit("submodule");
  ASSERT_TRUE(fetch("main").is_ok());
  EXPECT_FALSE(fs::exists(into() + "/sub/inner"));
  const Result<GitCommit> fetched = fetch("main", true);
  ASSERT_TRUE(fetched.is_ok()) << fetched.status().message();
  EXPECT_TRUE(fs::exists(into() + "/sub/inner"));
  run({"-C", repository(), "config", "-f", ".gitmodules", "submodule.sub.url",
       "file://" + (temporary_.path() / "root/b.git").string()});
  commit("to a file of the machine");
  EXPECT_FALSE(fetch("main", true).is_ok());
}

}  // namespace
}  // namespace assay::image_build
