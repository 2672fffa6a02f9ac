// .dockerignore, by the examples of Docker's own documentation and more.
#include "sdk/build/ignore_rules.h"

#include <gtest/gtest.h>

namespace assay::build {
namespace {

bool excluded(std::string_view rules, std::string_view path) {
  const Result<IgnoreRules> parsed = IgnoreRules::parse(rules);
  EXPECT_TRUE(parsed.is_ok()) << parsed.status().message();
  return parsed->excludes(path);
}

TEST(IgnoreRules, OnePatternMeansWhatItSays) {
  struct Case {
    const char* pattern;
    const char* path;
    bool excluded;
  };
  for (const Case& one : std::initializer_list<Case>{
           {"*/temp*", "some/temporary.txt", true},
           {"*/temp*", "some/temp/x", true},
           {"*/temp*", "temporary.txt", false},
           {"*/*/temp*", "some/sub/temporary.txt", true},
           {"*/*/temp*", "some/temporary.txt", false},
           {"temp?", "tempa", true},
           {"temp?", "temp", false},
           {"temp?", "temp/", false},
           {"**/*.go", "a/b/c.go", true},
           {"**/*.go", "c.go", true},
           {"**/*.go", "a/c.gox", false},
           {"a/**", "a/b/c", true},
           {"a/**/z", "a/z", true},
           {"a/**/z", "a/b/c/z", true},
           {"a/**/z", "ab/z", false},
           {"a/**/z", "a/bz", false},
           {"**", "anything/at/all", true},
           {"**/b", "a/xb", false},
           {"*.md", "README.md", true},
           {"*.md", "docs/README.md", false},
           {"/foo/bar", "foo/bar", true},
           {"foo/bar/", "foo/bar/x", true},
           {"foo", "foo/deep/er", true},
           {"foo", "foobar", false},
           {"./a/../b", "b", true},
           {"  spaced  ", "spaced", true},
           {"# comment", "# comment", false},
           {"[a-c]x", "bx", true},
           {"[a-c]x", "dx", false},
           {"[^a-c]x", "dx", true},
           {"[^a]b", "/b", false},
           {"\\*", "*", true},
           {"\\*", "x", false},
           {".git", ".git/config", true},
           {"a*b*c", "axxbyyc", true},
           {"a*b*c", "axx/byyc", false},
           {"", "x", false},
       }) {
    EXPECT_EQ(excluded(one.pattern, one.path), one.excluded) << one.pattern << " " << one.path;
  }
}

TEST(IgnoreRules, TheLastLineThatMatchesDecides) {
  EXPECT_FALSE(excluded("*.md\n!README.md\n", "README.md"));
  EXPECT_TRUE(excluded("*.md\n!README*.md\nREADME-secret.md\n", "README-secret.md"));
  EXPECT_FALSE(excluded("*.md\nREADME-secret.md\n!README*.md\n", "README-secret.md"));
  EXPECT_FALSE(excluded("node_modules\n!node_modules/keep", "node_modules/keep/x"));
  EXPECT_TRUE(excluded("node_modules\n!node_modules/keep", "node_modules/other"));
}

TEST(IgnoreRules, OnlyExceptionsMakeItNecessaryToLookBelow) {
  EXPECT_TRUE(IgnoreRules::parse("a\nb\n")->excludes_all_below());
  EXPECT_FALSE(IgnoreRules::parse("a\n!a/b\n")->excludes_all_below());
}

TEST(IgnoreRules, WhatIsNoPatternIsToldWithItsLine) {
  for (const char* text : {"ok\n[a", "ok\n!", "ok\nx\\"}) {
    const Result<IgnoreRules> rules = IgnoreRules::parse(text);
    ASSERT_FALSE(rules.is_ok()) << text;
    EXPECT_EQ(rules.status().message().find(".dockerignore:2: "), 0U) << rules.status().message();
  }
}

// A backtracking matcher would need longer than the universe has.
TEST(IgnoreRules, APatternMadeToBeSlowIsNot) {
  std::string pattern;
  for (int i = 0; i < 100; ++i) pattern += "*a";
  EXPECT_FALSE(excluded(pattern + "b", std::string(1000, 'a')));
}

}  // namespace
}  // namespace assay::build
