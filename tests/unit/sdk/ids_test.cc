// Identifiers and names.
#include "assay/ids.h"

#include <gtest/gtest.h>

#include <set>

namespace assay {
namespace {

TEST(TaskIdTest, TextAndBytesAreTheSameId) {
  TaskId id;
  EXPECT_EQ(id.text(), std::string(26, '0'));
  id.bytes.fill(0xff);
  EXPECT_EQ(id.text(), "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
  EXPECT_EQ(TaskId::parse(id.text()), id);
  const TaskId made = TaskId::make(Time(Duration(1'700'000'000'000)));
  EXPECT_EQ(TaskId::parse(made.text()), made);
}

TEST(TaskIdTest, EitherCaseIsRead) {
  EXPECT_EQ(TaskId::parse("01hzy3v7qk5n8d2r4t6w9x0abc"),
            TaskId::parse("01HZY3V7QK5N8D2R4T6W9X0ABC"));
  EXPECT_EQ(TaskId::parse("01hzy3v7qk5n8d2r4t6w9x0abc")->text(), "01HZY3V7QK5N8D2R4T6W9X0ABC");
}

TEST(TaskIdTest, WhatIsNoUlidIsNotRead) {
  for (const std::string text :
       {"", "01HZY3V7QK5N8D2R4T6W9X0AB", "01HZY3V7QK5N8D2R4T6W9X0ABCD",  // too short, too long
        "8ZZZZZZZZZZZZZZZZZZZZZZZZZ",                                    // over 128 bits
        "01HZY3V7QK5N8D2R4T6W9X0ABU", "01HZY3V7QK5N8D2R4T6W9X0A-C"}) {
    EXPECT_EQ(TaskId::parse(text), std::nullopt) << text;
  }
  EXPECT_EQ(TaskId::parse(std::string(26, '\0')), std::nullopt);
}

TEST(TaskIdTest, MadeIdsBeginWithTheirTimeAndDiffer) {
  const Time now(Duration(0x0123'4567'89ab));
  std::set<TaskId> made;
  for (int i = 0; i < 1000; ++i) made.insert(TaskId::make(now));
  EXPECT_EQ(made.size(), 1000U);
  for (const TaskId& id : made) {
    EXPECT_EQ(id.bytes[0], 0x01);
    EXPECT_EQ(id.bytes[5], 0xab);
    EXPECT_EQ(id.text().substr(0, 10), made.begin()->text().substr(0, 10));
  }
  EXPECT_LT(TaskId::make(now), TaskId::make(now + Duration(1)));
}

TEST(NameTest, OnlySafeCharactersMakeAName) {
  for (const std::string name : {"a", "0", "eval", "Red-Team_2.x", "a."}) {
    EXPECT_TRUE(valid_name(name)) << name;
  }
  for (const std::string name : {"", ".", "-a", "_a", "a b", "a/b", "ä", "a\n"}) {
    EXPECT_FALSE(valid_name(name)) << name;
  }
  EXPECT_TRUE(valid_name(std::string(64, 'a')));
  EXPECT_FALSE(valid_name(std::string(65, 'a')));
}

}  // namespace
}  // namespace assay
