#include "workers/eval/harness/frame.h"

#include <algorithm>

namespace assay::eval {
namespace {

// Container runtimes break lines at 16 KiB.
constexpr std::size_t kTextBytesMax = 8000;
constexpr std::size_t kFrameBytesMax = 16U << 10;

}  // namespace

std::string FrameWriter::frames(std::string_view text, char last) {
  std::string out;
  do {
    const std::string_view piece = text.substr(0, kTextBytesMax);
    text.remove_prefix(piece.size());
    out += std::to_string(next_++);
    out += text.empty() ? last : '+';
    out += piece;
    out += '\n';
  } while (!text.empty());
  return out;
}

std::string FrameReader::add(std::string_view bytes) {
  std::string out;
  half_ += bytes;
  std::size_t begin = 0;
  for (std::size_t end; !gap_ && (end = half_.find('\n', begin)) != std::string::npos;) {
    on_frame(std::string_view(half_).substr(begin, end - begin), out);
    begin = end + 1;
  }
  half_.erase(0, begin);
  if (half_.size() > kFrameBytesMax) {
    strange_ += half_.size();
    half_.clear();
  }
  return out;
}

void FrameReader::restart() {
  half_.clear();
  gap_ = false;
}

void FrameReader::on_frame(std::string_view line, std::string& out) {
  std::uint64_t number = 0;
  std::size_t digits = 0;
  while (digits < line.size() && digits < 19 && line[digits] >= '0' && line[digits] <= '9') {
    number = number * 10 + static_cast<std::uint64_t>(line[digits++] - '0');
  }
  const bool frame =
      digits > 0 && digits < line.size() && (line[digits] == '.' || line[digits] == '+');
  if (!frame) {
    strange_ += line.size() + 1;
    return;
  }
  if (number < next_) return;
  if (number > next_) {
    gap_ = true;
    return;
  }
  ++next_;
  out += line.substr(digits + 1);
  if (line[digits] == '.') out += '\n';
}

}  // namespace assay::eval
