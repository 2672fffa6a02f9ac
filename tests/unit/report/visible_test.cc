// Hostile text: what cannot be seen is written out, what is too long is cut and said to be.
#include "workers/report/text/visible.h"

#include <gtest/gtest.h>

#include "workers/report/html/escape.h"

namespace assay::report {
namespace {

TEST(Visible, WritesOutWhatCannotBeSeen) {
  EXPECT_EQ(visible("a\x1b[31mb", 100), "a␛[31mb");
  EXPECT_EQ(visible(std::string("a\0b", 3), 100), "a␀b");
  EXPECT_EQ(visible("a\xE2\x80\xAE"
                    "b",
                    100),
            "a[U+202E]b");
  EXPECT_EQ(visible("a\xE2\x80\x8B"
                    "b\xEF\xBB\xBF",
                    100),
            "a[U+200B]b[U+FEFF]");
  EXPECT_EQ(visible("\xC2\x9B"
                    "x",
                    100),
            "[U+009B]x");
  EXPECT_EQ(visible("naïve 日本 😀", 100), "naïve 日本 😀");
}

TEST(Visible, ReplacesWhatIsNoUtf8) {
  EXPECT_EQ(visible("\xFF\xC0\x80\xED\xA0\x80z", 100), "������z");
  EXPECT_EQ(visible("\xE2\x82", 100), "��");
}

TEST(Visible, KeepsLineEndsOnlyWhereLinesAreWanted) {
  EXPECT_EQ(visible("a\nb", 100), "a␊b");
  EXPECT_EQ(visible("a\n\tb\r", 100, Lines::kMany), "a\n\tb␍");
}

TEST(Visible, SaysHowMuchOfTenMegabytesIsMissing) {
  const std::string big(10'000'000, 'x');
  EXPECT_EQ(visible(big, 5), "xxxxx… [10.0 MB more]");
  const std::string both = visible("begin" + big + "end", 40, Lines::kMany);
  EXPECT_TRUE(both.starts_with("begin"));
  EXPECT_TRUE(both.ends_with("end"));
  EXPECT_LT(both.size(), 100U);
}

TEST(Visible, NeverCutsACharacterInTwo) {
  for (std::size_t at = 1; at < 12; ++at) {
    EXPECT_EQ(visible("ab日本😀cd", at).find("\xEF\xBF\xBD"), std::string::npos) << at;
  }
}

TEST(Escape, NothingOfItIsMarkup) {
  EXPECT_EQ(html("<script>\"'&"), "&lt;script&gt;&quot;&#39;&amp;");
  EXPECT_EQ(script_string("</script>\"\\\n&", 100), "\"\\u003c/script\\u003e\\\"\\\\\\n\\u0026\"");
}

TEST(Figures, ReadWell) {
  EXPECT_EQ(number_text(0.97314), "0.9731");
  EXPECT_EQ(number_text(1234567), "1,234,567");
  EXPECT_EQ(number_text(-1234), "-1,234");
  EXPECT_EQ(number_text(0), "0");
  EXPECT_EQ(seconds_text(0.35), "350 ms");
  EXPECT_EQ(seconds_text(125), "2 m 05 s");
  EXPECT_EQ(seconds_text(12'000), "3 h 20 m");
  EXPECT_EQ(bytes_text(1'500'000), "1.5 MB");
}

}  // namespace
}  // namespace assay::report
