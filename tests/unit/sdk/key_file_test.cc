// Key files: what is written can be read, by nobody else, and what is wrong with one is said with
// its line and without its secret.
#include "sdk/keys/key_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace assay::keys {
namespace {

using testing::HasSubstr;
using testing::Not;

class KeyFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "keysXXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text, mode_t rights = 0600) {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path) << text;
    chmod(path.c_str(), rights);
    return path;
  }

  std::string folder_;
};

const std::string kHex(64, 'a');

TEST_F(KeyFile, OfANewPairIsReadBackByItsUserAlone) {
  const KeyPair pair = make_key_pair("ann");
  ASSERT_TRUE(write_key_files(pair, folder_).is_ok());
  struct stat file {};
  ASSERT_EQ(stat((folder_ + "/ann.key").c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600U);
  const auto own = read_key_file(folder_ + "/ann.key");
  ASSERT_TRUE(own.is_ok()) << own.status().message();
  EXPECT_EQ(own->name, "ann");
  EXPECT_EQ(own->public_key, pair.public_key);
  EXPECT_EQ(own->secret_key, pair.secret_key);
  const auto known = read_public_key_file(folder_ + "/ann.pub");
  ASSERT_TRUE(known.is_ok()) << known.status().message();
  EXPECT_EQ(known->key, pair.public_key);
  EXPECT_TRUE(known->roles.empty());
  EXPECT_EQ(*parse_server_key(folder_ + "/ann.pub"), pair.public_key);
  EXPECT_EQ(*parse_server_key(to_hex(pair.public_key)), pair.public_key);
}

TEST_F(KeyFile, IsNeverOverwritten) {
  ASSERT_TRUE(write_key_files(make_key_pair("ann"), folder_).is_ok());
  const auto before = read_key_file(folder_ + "/ann.key");
  EXPECT_EQ(write_key_files(make_key_pair("ann"), folder_).reason(), "key_exists");
  std::filesystem::remove(folder_ + "/ann.key");
  EXPECT_EQ(write_key_files(make_key_pair("ann"), folder_).reason(), "key_exists");
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/ann.key"));
  EXPECT_EQ(read_public_key_file(folder_ + "/ann.pub")->key, before->public_key);
}

TEST_F(KeyFile, ThatOthersCanReadIsRefused) {
  const std::string text = "name: ann\npublic: " + kHex + "\nsecret: " + kHex + "\n";
  for (const mode_t rights : {0604, 0640, 0602, 0620}) {
    const auto read = read_key_file(write("ann.key", text, rights));
    ASSERT_FALSE(read.is_ok()) << rights;
    EXPECT_EQ(read.status().reason(), "exposed_key");
    EXPECT_THAT(read.status().message(), HasSubstr("chmod 600"));
  }
  EXPECT_TRUE(read_key_file(write("ann.key", text, 0400)).is_ok());
}

TEST_F(KeyFile, SaysWhereItIsWrongAndNeverWhatTheSecretIs) {
  struct Case {
    std::string text, expected;
  };
  const std::string secret = "5ec3e7";
  for (const Case& one : std::vector<Case>{
           {"name: ann\npublic: " + kHex + "\n", "'secret: ...' is missing"},
           {"name: ann\npublic: " + kHex + "\nsecret: " + secret + "\n",
            "ann.key:3: secret: expected 64"},
           {"name: ann\nname: ben\n", "ann.key:2: 'name' stands here twice"},
           {"# hello\nname ann\n", "ann.key:2: expected 'word: value'"},
           {"nam: ann\n", "ann.key:1: unknown word 'nam'; known: name, public, secret"},
           {"name: a/b\n", "ann.key:1: name: expected"},
           {"name: ann\npublic: " + std::string(64, 'g') + "\n", "ann.key:2: public: expected 64"},
           {"", "'name: ...' is missing"}}) {
    const auto read = read_key_file(write("ann.key", one.text));
    ASSERT_FALSE(read.is_ok()) << one.text;
    EXPECT_EQ(read.status().reason(), "invalid_key_file");
    EXPECT_THAT(read.status().message(), HasSubstr(one.expected));
    EXPECT_THAT(read.status().message(), Not(HasSubstr(secret)));
  }
  EXPECT_EQ(read_key_file(folder_ + "/nobody.key").status().reason(), "unreadable_file");
  EXPECT_EQ(read_key_file(folder_).status().reason(), "unreadable_file");
  EXPECT_EQ(read_key_file(write("ann.key", std::string(1 << 20, '#'))).status().reason(),
            "invalid_key_file");
}

TEST_F(KeyFile, ThatIsPublicMaySayWhomItActsForAndAsWhat) {
  const std::string text = "name: ann\npublic: " + kHex + "\n";
  const auto key = read_public_key_file(
      write("ann.pub", text + "owner: red-team\nroles: produce, subscribe,work:eval\n"));
  ASSERT_TRUE(key.is_ok()) << key.status().message();
  EXPECT_EQ(key->owner.value, "red-team");
  EXPECT_THAT(key->roles, testing::ElementsAre("produce", "subscribe", "work:eval"));
  for (const std::string roles : {"", "produce,,operate", "rule", "work:", "work:a/b"}) {
    EXPECT_FALSE(read_public_key_file(write("ann.pub", text + "roles: " + roles + "\n")).is_ok())
        << roles;
  }
}

}  // namespace
}  // namespace assay::keys
