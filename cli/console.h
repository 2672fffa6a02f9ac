// Where the command speaks: standard output for what was asked for, standard error for what went
// wrong.
#ifndef ASSAY_CLI_CONSOLE_H_
#define ASSAY_CLI_CONSOLE_H_

#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "cli/text/line.h"
#include "cli/text/table.h"

namespace assay::cli {

// Thread: one at a time.
class Console {
 public:
  // `live`: `out` is a terminal that moves its cursor. Tests give string streams and a fixed look.
  Console(std::ostream& out, std::ostream& err, Look look, bool live);

  // Standard output and error of this process. Live when both ends are a terminal that can redraw;
  // NO_COLOR (https://no-color.org) takes the colour, TERM=dumb the redrawing as well.
  static Console standard();

  // A line on standard output; the ones below add the line end. A Line is painted as the look
  // allows and, on a terminal, not cut: only what is redrawn must fit.
  void print(std::string_view text);
  void print(const Line& line);
  void print(const Table& table);
  // Bytes as they are.
  void write(std::string_view bytes);
  // "assay: message" on standard error, made printable.
  void error(std::string_view message);

  // Makes sure that what was printed has left the process. False when it could not be written.
  bool flush();

  // Is output redrawn in place (a terminal), or only ever appended to?
  bool live() const { return live_; }
  // Colour, characters and the width now: a window may have been resized. The height for live
  // views.
  Look look() const;
  std::size_t height() const;

 private:
  std::ostream& out_;
  std::ostream& err_;
  Look look_;
  bool live_;
  bool measured_ = false;  // ask the terminal for its size each time
};

}  // namespace assay::cli

#endif  // ASSAY_CLI_CONSOLE_H_
