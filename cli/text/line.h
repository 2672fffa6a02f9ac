// A line of output in pieces that bear a colour, so that it can be cut to a width before it is
// painted.
#ifndef ASSAY_CLI_TEXT_LINE_H_
#define ASSAY_CLI_TEXT_LINE_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace assay::cli {

enum class Ink : std::uint8_t { kPlain, kBold, kDim, kRed, kGreen, kYellow, kBlue };

// A piece of text, printable already, and how to paint it.
struct Span {
  std::string text;
  Ink ink = Ink::kPlain;

  Span() = default;
  Span(std::string what, Ink how = Ink::kPlain) : text(std::move(what)), ink(how) {}  // NOLINT
  Span(const char* what, Ink how = Ink::kPlain) : text(what), ink(how) {}             // NOLINT
};
using Line = std::vector<Span>;

inline constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

// What the output device takes. A pipe: no colour, no limit, plain characters as UTF-8.
struct Look {
  bool colour = false;
  bool unicode = true;           // blocks for bars; otherwise ASCII
  std::size_t width = kNoLimit;  // columns
};

// The text of a line, cut to the look's width, painted if it has colour. No line end.
std::string render(const Line& line, const Look& look);

// How many columns the uncut line takes.
std::size_t columns(const Line& line);

}  // namespace assay::cli

#endif  // ASSAY_CLI_TEXT_LINE_H_
