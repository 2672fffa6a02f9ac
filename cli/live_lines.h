// Lines at the bottom of a terminal that are drawn again and again, with ordinary output above
// them.
#ifndef ASSAY_CLI_LIVE_LINES_H_
#define ASSAY_CLI_LIVE_LINES_H_

#include <cstddef>
#include <vector>

#include "cli/console.h"
#include "cli/text/line.h"

namespace assay::cli {

// On a console that is not live it shows nothing and only passes on what is printed above.
// It hides no cursor and changes no mode, so a process that is killed leaves the terminal as it
// was.
//
// Thread: one at a time.
class LiveLines {
 public:
  explicit LiveLines(Console& console) : console_(console) {}
  ~LiveLines();
  LiveLines(const LiveLines&) = delete;
  LiveLines& operator=(const LiveLines&) = delete;

  // Draws these in place of those drawn before, each cut to the width, no more than the window is
  // high.
  void show(const std::vector<Line>& lines);
  // Prints lines for good, above the live ones.
  void print_above(const std::vector<Line>& lines);
  // Takes the live lines away.
  void clear();

 private:
  Console& console_;
  std::vector<std::string> drawn_;
};

}  // namespace assay::cli

#endif  // ASSAY_CLI_LIVE_LINES_H_
