#include "cli/text/line.h"

#include "cli/text/printable.h"

namespace assay::cli {
namespace {

// ECMA-48 "select graphic rendition": bright enough on dark and light backgrounds alike.
const char* sequence(Ink ink) {
  switch (ink) {
    case Ink::kPlain:
      return "";
    case Ink::kBold:
      return "\x1b[1m";
    case Ink::kDim:
      return "\x1b[2m";
    case Ink::kRed:
      return "\x1b[31m";
    case Ink::kGreen:
      return "\x1b[32m";
    case Ink::kYellow:
      return "\x1b[33m";
    case Ink::kBlue:
      return "\x1b[36m";
  }
  return "";
}

}  // namespace

std::string render(const Line& line, const Look& look) {
  std::string text;
  const std::size_t total = look.width == kNoLimit ? 0 : columns(line);
  std::size_t left = look.width;
  for (const Span& span : line) {
    if (left == 0) break;
    std::string piece = span.text;
    const std::size_t needed = look.width == kNoLimit ? 0 : columns(piece);
    // The last piece that fits must leave a column for the "…" when others follow it.
    if (total > look.width && needed >= left) piece = cut(piece + " ", left);
    if (look.width != kNoLimit) left -= columns(piece);
    if (piece.empty()) continue;
    if (look.colour && span.ink != Ink::kPlain) {
      text.append(sequence(span.ink)).append(piece).append("\x1b[0m");
    } else {
      text += piece;
    }
  }
  return text;
}

std::size_t columns(const Line& line) {
  std::size_t total = 0;
  for (const Span& span : line) total += columns(span.text);
  return total;
}

}  // namespace assay::cli
