// What a terminal and a pipe get.
#include "cli/console.h"

#include <gtest/gtest.h>

#include <sstream>

#include "cli/live_lines.h"

namespace assay::cli {
namespace {

class ConsoleTest : public testing::Test {
 protected:
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(ConsoleTest, ErrorsBearTheCommandsNameAndNoEscapes) {
  Console console(out_, err_, Look{}, false);
  console.error("bad \x1b[31mthing\nsecond line");
  EXPECT_EQ(err_.str(), "assay: bad thing\n  second line\n");
  EXPECT_EQ(out_.str(), "");
}

TEST_F(ConsoleTest, APipeGetsNeitherColourNorLiveLines) {
  Console console(out_, err_, Look{}, false);
  {
    LiveLines live(console);
    live.show({{{"bar", Ink::kBlue}}});
    live.print_above({{{"kept", Ink::kRed}}});
    live.show({{{"bar 2", Ink::kBlue}}});
  }
  EXPECT_EQ(out_.str(), "kept\n");
}

TEST_F(ConsoleTest, LiveLinesAreDrawnInPlaceAndLeaveNothingBehind) {
  Console console(out_, err_, Look{.width = 10}, true);
  {
    LiveLines live(console);
    live.show({{{"one"}}, {{"two"}}});
    EXPECT_EQ(out_.str(), "one\ntwo");
    out_.str("");
    live.show({{{"one"}}, {{"two"}}});
    EXPECT_EQ(out_.str(), "") << "nothing changed, nothing is drawn";
    live.show({{{"a line that is too long"}}});
    EXPECT_EQ(out_.str(), "\r\x1b[1A\x1b[Ja line t…") << "one column less than the window has";
    out_.str("");
    live.print_above({{{"kept"}}});
    EXPECT_EQ(out_.str(), "\r\x1b[Jkept\n");
    live.show({{{"end"}}});
    out_.str("");
  }
  EXPECT_EQ(out_.str(), "\r\x1b[J");
}

}  // namespace
}  // namespace assay::cli
