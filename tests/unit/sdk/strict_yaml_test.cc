// Strict reading: what is right is read, what is wrong is named with its line, all of it at once.
#include "sdk/config/strict_yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace assay::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

enum class Color { kRed, kGreen };

struct Everything {
  std::string name = "unset";
  std::uint16_t port = 1;
  std::optional<std::uint32_t> tests;
  double temperature = 0;
  bool isolated = false;
  Duration timeout{0};
  std::uint64_t size = 0;
  Color color = Color::kRed;
  std::vector<std::string> outputs;
  std::map<std::string, std::string> labels;
  bool network_on = true;
  std::vector<std::string> suites;
  std::map<std::string, int> queues;
};

Status read(std::string_view yaml, Everything& to) {
  return read_yaml_text(yaml, "a.yaml", [&](Map& map) {
    map.text("name", to.name);
    map.integer("port", to.port);
    map.integer("tests", to.tests, {1, 100});
    map.number("temperature", to.temperature, {0, 2});
    map.boolean("isolated", to.isolated);
    map.duration("timeout", to.timeout);
    map.bytes("size", to.size);
    map.choice("color", to.color, {"red", "green"});
    map.texts("outputs", to.outputs);
    map.texts("labels", to.labels);
    map.map("network", [&](Map& network) { network.boolean("on", to.network_on); });
    map.each("suites", [&](Map& suite) {
      suite.require("name");
      suite.text("name", to.suites.emplace_back());
    });
    map.named("queues", [&](const std::string& name, Map& queue) {
      queue.integer("depth", to.queues[name]);
    });
  });
}

// The text of the refusal.
std::string mistakes_in(std::string_view yaml) {
  Everything ignored;
  const Status status = read(yaml, ignored);
  EXPECT_FALSE(status.is_ok()) << yaml;
  EXPECT_EQ(status.code(), Code::kFixInput);
  EXPECT_EQ(status.reason(), "invalid_yaml");
  return status.message();
}

TEST(StrictYamlTest, EveryKindOfValueIsRead) {
  Everything all;
  const Status status = read(R"(
name: my eval
port: 65535
tests: 7
temperature: 0.5
isolated: true
timeout: 5m
size: "64MiB"
color: green
outputs: [a.json, b.json]
labels: {team: red, run: 5}
network: {on: false}
suites:
  - name: one
  - name: two
queues:
  eval: {depth: 3}
  build:
)",
                             all);
  ASSERT_TRUE(status.is_ok()) << status.message();
  EXPECT_EQ(all.name, "my eval");
  EXPECT_EQ(all.port, 65'535);
  EXPECT_EQ(all.tests, 7U);
  EXPECT_EQ(all.temperature, 0.5);
  EXPECT_TRUE(all.isolated);
  EXPECT_EQ(all.timeout, Duration(300'000));
  EXPECT_EQ(all.size, 67'108'864U);
  EXPECT_EQ(all.color, Color::kGreen);
  EXPECT_THAT(all.outputs, ElementsAre("a.json", "b.json"));
  EXPECT_THAT(all.labels, ElementsAre(Pair("run", "5"), Pair("team", "red")));
  EXPECT_FALSE(all.network_on);
  EXPECT_THAT(all.suites, ElementsAre("one", "two"));
  EXPECT_THAT(all.queues, ElementsAre(Pair("build", 0), Pair("eval", 3)));
}

TEST(StrictYamlTest, WhatIsAbsentKeepsItsValue) {
  for (const char* yaml : {"", "# nothing\n", "---\n", "{}"}) {
    Everything all;
    EXPECT_TRUE(read(yaml, all).is_ok()) << yaml;
    EXPECT_EQ(all.name, "unset");
    EXPECT_EQ(all.tests, std::nullopt);
  }
}

TEST(StrictYamlTest, EveryMistakeIsNamedWithItsLineInTheFilesOrder) {
  EXPECT_EQ(
      mistakes_in("name: [a]\n"
                  "port: 65536\n"
                  "temprature: 0.5\n"
                  "network:\n"
                  "  onn: true\n"
                  "suites:\n"
                  "  - {}\n"
                  "  - text\n"),
      "a.yaml:1: name: expected a string, found a list\n"
      "a.yaml:2: port: expected an integer from 0 to 65535, found '65536'\n"
      "a.yaml:3: unknown key 'temprature'; did you mean 'temperature'? known keys here: color, "
      "isolated, labels, name, network, outputs, port, queues, size, suites, temperature, "
      "tests, timeout\n"
      "a.yaml:5: unknown key 'onn' in 'network'; did you mean 'on'? known keys here: on\n"
      "a.yaml:7: suites[0].name: is required and missing\n"
      "a.yaml:8: suites[1]: expected a map, found 'text'");
}

TEST(StrictYamlTest, WrongTypesAreNamed) {
  EXPECT_EQ(mistakes_in("port: \"5\""),
            "a.yaml:1: port: expected it without quotes, found the string \"5\"");
  EXPECT_EQ(mistakes_in("isolated: yes"),
            "a.yaml:1: isolated: expected true or false, found 'yes'");
  EXPECT_EQ(mistakes_in("name:"), "a.yaml:1: name: expected a string, found nothing");
  EXPECT_EQ(mistakes_in("outputs: a.json"),
            "a.yaml:1: outputs: expected a list of strings, found 'a.json'");
  EXPECT_EQ(mistakes_in("outputs:\n- a\n- [b]"),
            "a.yaml:3: outputs[1]: expected a string, found a list");
  EXPECT_EQ(mistakes_in("color: gren"),
            "a.yaml:1: color: expected one of red, green, found 'gren'; did you mean 'green'?");
  EXPECT_EQ(mistakes_in("network: 5"), "a.yaml:1: network: expected a map, found '5'");
  EXPECT_EQ(mistakes_in("queues: {eval: 5}"), "a.yaml:1: queues.eval: expected a map, found '5'");
  EXPECT_EQ(mistakes_in("just text"),
            "a.yaml:1: expected a map of keys and values, found 'just text'");
}

TEST(StrictYamlTest, KeyThatComesTwiceIsRefusedWithBothLines) {
  EXPECT_EQ(mistakes_in("name: a\nport: 1\nname: b\n"),
            "a.yaml:3: the key 'name' is there twice, first in line 1");
  EXPECT_THAT(mistakes_in("network:\n  on: true\n  on: true\n"),
              HasSubstr("a.yaml:3: the key 'on'"));
}

TEST(StrictYamlTest, SyntaxErrorsHaveALine) {
  EXPECT_THAT(mistakes_in("name: a\nport: [1\n"), HasSubstr("not YAML"));
  EXPECT_THAT(mistakes_in("name: a\n  b: c\n"), HasSubstr("a.yaml:2: not YAML"));
  EXPECT_THAT(mistakes_in("name: a\n---\nname: b\n"), HasSubstr("expected one document"));
  EXPECT_THAT(mistakes_in("? [a]\n: b\n"), HasSubstr("expected a key, found a list"));
}

TEST(StrictYamlTest, BoundsHoldAgainstHostileFiles) {
  EXPECT_THAT(mistakes_in(std::string(kYamlBytesMax + 1, ' ')), HasSubstr("bytes, found"));
  std::string deep = "name: ";
  for (int i = 0; i < 100; ++i) deep += '[';
  for (int i = 0; i < 100; ++i) deep += ']';
  EXPECT_THAT(mistakes_in(deep), HasSubstr("nests deeper than 64 levels"));
  EXPECT_FALSE(mistakes_in("name: " + std::string(1'000'000, '[')).empty());
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int j = 0; j < 9; ++j) bomb += "," + before;
    bomb += "]\n";
  }
  EXPECT_THAT(mistakes_in(bomb), HasSubstr("more than 200000 values"));
}

TEST(StrictYamlTest, CallersMistakesStandAtTheirKey) {
  const Status status = read_yaml_text("a: 1\nb:\n  c: 2\n", "a.yaml", [](Map& map) {
    int ignored = 0;
    map.integer("a", ignored);
    map.mistake("a", "must be less than b");
    map.map("b", [&](Map& inner) {
      inner.integer("c", ignored);
      inner.mistake("needs a d as well");
    });
  });
  EXPECT_EQ(status.message(), "a.yaml:1: a: must be less than b\na.yaml:3: b: needs a d as well");
}

TEST(StrictYamlTest, AnyValueCanBeHadAsJson) {
  std::string json;
  const Status status = read_yaml_text(
      R"(any: {a: [1, -2.5e3, "5", 05, true, null, .inf, 1.e5, text "x"], b: {}, c: })", "a.yaml",
      [&](Map& map) { json = to_json(*map.node("any")); });
  ASSERT_TRUE(status.is_ok()) << status.message();
  EXPECT_EQ(json,
            R"({"a":[1,-2.5e3,"5","05",true,null,".inf","1.e5","text \"x\""],"b":{},"c":null})");
}

TEST(StrictYamlTest, FileThatCannotBeReadIsNamed) {
  std::string folder = (std::filesystem::temp_directory_path() / "assay_yaml_XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const auto nothing = [](Map&) {};
  Status status = read_yaml(folder + "/none.yaml", nothing);
  EXPECT_EQ(status.reason(), "unreadable_file");
  EXPECT_EQ(status.message(), folder + "/none.yaml: cannot be read: No such file or directory");
  status = read_yaml(folder, nothing);
  EXPECT_EQ(status.reason(), "unreadable_file");
  std::ofstream(folder + "/some.yaml") << "unknown: 1\n";
  status = read_yaml(folder + "/some.yaml", nothing);
  EXPECT_THAT(status.message(), HasSubstr("some.yaml:1: unknown key 'unknown'"));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace assay::config
