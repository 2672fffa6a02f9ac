#include "cli/text/bar.h"

#include <algorithm>
#include <array>

namespace assay::cli {
namespace {

// `steps` scaled by done/total without overflow, for any pair of 64-bit counts.
std::size_t scaled(std::uint64_t done, std::uint64_t total, std::size_t steps) {
  if (total == 0) return 0;
  const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  const auto whole = static_cast<std::size_t>(share * static_cast<double>(steps));
  // Full means done: rounding never shows the end before it is there.
  return done < total ? std::min(whole, steps - 1) : steps;
}

}  // namespace

std::string bar(std::uint64_t done, std::uint64_t total, std::size_t width, bool unicode) {
  std::string text;
  if (!unicode) {
    if (width < 3) return {};
    const std::size_t full = scaled(done, total, width - 2);
    return "[" + std::string(full, '#') + std::string(width - 2 - full, '.') + "]";
  }
  if (width == 0) return {};
  static constexpr std::array<const char*, 8> kPart{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const std::size_t eighths = scaled(done, total, width * 8);
  std::size_t used = 0;
  for (; used < eighths / 8; ++used) text += "█";
  if (eighths % 8 > 0) {
    text += kPart[eighths % 8];
    ++used;
  }
  for (; used < width; ++used) text += "░";
  return text;
}

}  // namespace assay::cli
