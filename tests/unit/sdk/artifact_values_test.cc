// Hashes, names and their forms as files.
#include <gtest/gtest.h>

#include "assay/artifacts.h"
#include "sdk/artifacts/escaped_name.h"
#include "sdk/artifacts/sha256.h"

namespace assay::artifacts {
namespace {

// FIPS 180-4's examples and RFC 4231's second case: values from outside this tree.
TEST(ArtifactHash, IsSha256) {
  EXPECT_EQ(Sha256::of("").text(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256::of("abc").text(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(ArtifactHash, ReadsWhatItWritesAndNothingElse) {
  const ArtifactHash hash = Sha256::of("abc");
  EXPECT_EQ(ArtifactHash::parse(hash.text()), hash);
  EXPECT_EQ(ArtifactHash::parse("sha256:" + hash.text()), hash);
  EXPECT_FALSE(ArtifactHash::parse(""));
  EXPECT_FALSE(ArtifactHash::parse(hash.text() + "0"));
  EXPECT_FALSE(ArtifactHash::parse(hash.text().substr(1)));
  EXPECT_FALSE(ArtifactHash::parse("g" + hash.text().substr(1)));
}

TEST(ArtifactName, StaysBelowItsTask) {
  for (const char* good : {"log.txt", "a/b/c", ".hidden", "ü ß", "..a", "a%2Fb"}) {
    EXPECT_TRUE(valid_artifact_name(good)) << good;
  }
  for (const std::string& bad :
       {std::string(), std::string("/a"), std::string("a/"), std::string("a//b"),
        std::string("../a"), std::string("a/.."), std::string("."), std::string("a\nb"),
        std::string(181, 'x'), std::string("a\0b", 3)}) {
    EXPECT_FALSE(valid_artifact_name(bad)) << bad;
  }
}

TEST(ArtifactName, IsOneFileNameThatReadsBack) {
  for (const char* name : {"log.txt", "a/b/c", ".hidden", "a%2Fb", "%", "ü/ß"}) {
    const std::string escaped = escape_name(name);
    EXPECT_EQ(escaped.find('/'), std::string::npos);
    EXPECT_FALSE(escaped.starts_with("."));
    EXPECT_EQ(unescape_name(escaped), name);
  }
  for (const char* never_made : {"%2f", "a%2E", "%", "%4", "%41"}) {
    EXPECT_FALSE(unescape_name(never_made)) << never_made;
  }
}

}  // namespace
}  // namespace assay::artifacts
