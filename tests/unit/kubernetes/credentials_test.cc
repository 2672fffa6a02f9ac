#include "workers/eval/executor/kubernetes/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace assay::eval::kubernetes {
namespace {

using ::testing::HasSubstr;

class Credentials : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(mkdtemp(folder_.data()), nullptr); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(folder_ + "/" + name) << content;
    return folder_ + "/" + name;
  }
  std::string kubeconfig(const std::string& user) const {
    return write("config",
                 "current-context: main\ncontexts:\n- name: main\n  context: {cluster: c, "
                 "user: u, namespace: evals}\nclusters:\n- name: c\n  cluster: {server: "
                 "'https://10.0.0.1:6443', certificate-authority-data: Q0E=}\nusers:\n"
                 "- name: u\n  user: " +
                     user + "\n");
  }
  std::string folder_ = "/tmp/assay-credentials-XXXXXX";
};

TEST_F(Credentials, AKubeconfigIsReadWithItsToken) {
  const auto access = read_kubeconfig("/nowhere:" + kubeconfig("{token: secret}"), "");
  ASSERT_TRUE(access.is_ok()) << access.status().to_string();
  EXPECT_EQ(access->server, "https://10.0.0.1:6443");
  EXPECT_EQ(access->namespace_name, "evals");
  EXPECT_EQ(access->token, "secret");
  EXPECT_EQ(access->tls.ca_text, "CA");
}

TEST_F(Credentials, ClientCertificatesMayBeTextOrFilesBesideIt) {
  auto access = read_kubeconfig(
      kubeconfig("{client-certificate-data: Q0VSVA==, client-key-data: S0VZ}"), "main");
  ASSERT_TRUE(access.is_ok());
  EXPECT_EQ(access->tls.certificate_text, "CERT");
  EXPECT_EQ(access->tls.key_text, "KEY");
  access = read_kubeconfig(kubeconfig("{client-certificate: a.pem, client-key: /b.pem}"), "");
  EXPECT_EQ(access->tls.certificate_file, folder_ + "/a.pem");
  EXPECT_EQ(access->tls.key_file, "/b.pem");
}

TEST_F(Credentials, WhatIsMissingOrNotSupportedIsSaid) {
  const auto words = [&](const std::string& user, const std::string& context) {
    return read_kubeconfig(kubeconfig(user), context).status().message();
  };
  EXPECT_THAT(words("{exec: {command: aws}}", ""), HasSubstr("plugin"));
  EXPECT_THAT(words("{token: x}", "other"), HasSubstr("no context 'other'"));
  EXPECT_THAT(words("{client-key-data: '!!!!'}", ""), HasSubstr("no base64"));
  EXPECT_EQ(read_kubeconfig("/nowhere", "").status().reason(), "unreadable_file");
}

TEST_F(Credentials, ARotatedTokenIsReadAgainWhenTheServerRefusesTheOld) {
  ClusterAccess access;
  access.token_file = write("token", "old\n");
  TokenSource source(access);
  EXPECT_EQ(source.token(), "old");
  EXPECT_FALSE(source.refused("old"));
  write("token", "new\n");
  EXPECT_EQ(source.token(), "old");  // not before a minute is over
  EXPECT_TRUE(source.refused("old"));
  EXPECT_EQ(source.token(), "new");
  std::filesystem::remove(access.token_file);
  EXPECT_FALSE(source.refused("new"));
  EXPECT_EQ(source.token(), "new");
}

TEST_F(Credentials, APodFindsItsServiceAccount) {
  EXPECT_EQ(in_cluster_access(folder_).status().reason(), "not_in_cluster");
  write("token", "mine");
  write("namespace", "evals");
  setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1);  // NOLINT(concurrency-mt-unsafe): one thread
  const auto access = in_cluster_access(folder_);
  unsetenv("KUBERNETES_SERVICE_HOST");  // NOLINT(concurrency-mt-unsafe): one thread
  ASSERT_TRUE(access.is_ok());
  EXPECT_EQ(access->server, "https://[fd00::1]:443");
  EXPECT_EQ(access->namespace_name, "evals");
  EXPECT_EQ(access->token_file, folder_ + "/token");
}

}  // namespace
}  // namespace assay::eval::kubernetes
