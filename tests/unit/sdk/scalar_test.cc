// Single values as people write them.
#include "sdk/config/scalar.h"

#include <gtest/gtest.h>

namespace assay::config {
namespace {

TEST(ScalarTest, IntegersAreReadWholeAndWithinTheirRange) {
  EXPECT_EQ(parse_integer("-42").value(), -42);
  EXPECT_EQ(parse_integer("9223372036854775807").value(), INT64_MAX);
  EXPECT_EQ(parse_integer("5", {1, 5}).value(), 5);
  for (const char* text : {"", "5x", " 5", "5.0", "0x5", "9223372036854775808", "+-5"}) {
    EXPECT_FALSE(parse_integer(text).is_ok()) << text;
  }
  EXPECT_EQ(parse_integer("6", {1, 5}).status().message(),
            "expected an integer from 1 to 5, found '6'");
  EXPECT_EQ(parse_integer("-1", {.min = 0}).status().message(),
            "expected an integer of at least 0, found '-1'");
}

TEST(ScalarTest, NumbersAreFinite) {
  EXPECT_EQ(parse_number("0.25").value(), 0.25);
  EXPECT_EQ(parse_number("1e3").value(), 1000);
  for (const char* text : {"", "inf", "nan", "1e999", "1,5"}) {
    EXPECT_FALSE(parse_number(text).is_ok()) << text;
  }
  EXPECT_EQ(parse_number("2", {0, 1}).status().message(),
            "expected a number from 0 to 1, found '2'");
}

TEST(ScalarTest, BooleansAreTrueOrFalseAndNothingElse) {
  EXPECT_TRUE(parse_boolean("true").value());
  EXPECT_FALSE(parse_boolean("false").value());
  for (const char* text : {"", "yes", "on", "1", "True"}) {
    EXPECT_FALSE(parse_boolean(text).is_ok()) << text;
  }
}

TEST(ScalarTest, DurationsHaveUnits) {
  EXPECT_EQ(parse_duration("250ms").value(), Duration(250));
  EXPECT_EQ(parse_duration("30s").value(), Duration(30'000));
  EXPECT_EQ(parse_duration("5m").value(), Duration(300'000));
  EXPECT_EQ(parse_duration("5min").value(), Duration(300'000));
  EXPECT_EQ(parse_duration("1.5h").value(), Duration(5'400'000));
  EXPECT_EQ(parse_duration("7 d").value(), Duration(604'800'000));
  EXPECT_EQ(parse_duration("45").value(), Duration(45'000));
  EXPECT_EQ(parse_duration("0").value(), Duration(0));
  for (const char* text :
       {"", "s", "-5s", "5 weeks", "1e3s", "5S", "99999999999999999d", "1.2.3s"}) {
    EXPECT_FALSE(parse_duration(text).is_ok()) << text;
  }
  EXPECT_EQ(
      parse_duration("2h", {.min = Duration(1000), .max = Duration(3'600'000)}).status().message(),
      "expected a duration from 1s to 1h such as 250ms, 30s, 5m or 1h, found '2h'");
}

TEST(ScalarTest, BytesHaveUnits) {
  EXPECT_EQ(parse_bytes("64MiB").value(), 67'108'864U);
  EXPECT_EQ(parse_bytes("1GB").value(), 1'000'000'000U);
  EXPECT_EQ(parse_bytes("512").value(), 512U);
  EXPECT_EQ(parse_bytes("0.5 KiB").value(), 512U);
  for (const char* text : {"", "MiB", "-1", "1mib", "1Zi", "9999999TiB"}) {
    EXPECT_FALSE(parse_bytes(text).is_ok()) << text;
  }
  EXPECT_EQ(parse_bytes("1KiB", {.min = 4096}).status().message(),
            "expected a size of at least 4KiB such as 512, 64MiB or 1GB, found '1KiB'");
}

TEST(ScalarTest, FormattedValuesAreReadBackAsTheSame) {
  for (const std::int64_t milliseconds : {0, 1, 250, 1000, 90'000, 3'600'000, 86'400'000}) {
    const Duration duration(milliseconds);
    EXPECT_EQ(parse_duration(format_duration(duration)).value(), duration);
  }
  for (const std::uint64_t bytes : {0ULL, 1ULL, 1023ULL, 1024ULL, 67'108'864ULL, 1ULL << 41}) {
    EXPECT_EQ(parse_bytes(format_bytes(bytes)).value(), bytes);
  }
  EXPECT_EQ(format_duration(Duration(90'000)), "90s");
  EXPECT_EQ(format_bytes(67'108'864), "64MiB");
}

TEST(ScalarTest, NearestFindsSlipsAndNothingElse) {
  const std::vector<std::string> known = {"temperature", "timeout", "top_p", "n"};
  EXPECT_EQ(nearest("temprature", known), "temperature");
  EXPECT_EQ(nearest("tiemout", known), "timeout");
  EXPECT_EQ(nearest("topp", known), "top_p");
  EXPECT_EQ(nearest("endpoint", known), "");
  EXPECT_EQ(nearest("x", known), "");
  EXPECT_EQ(nearest("", known), "");
}

}  // namespace
}  // namespace assay::config
