#include "workers/eval/executor/kubernetes/encoding.h"

#include <algorithm>
#include <cctype>
#include <cstdio>

namespace assay::eval::kubernetes {

std::uint64_t digest(std::string_view bytes, std::uint64_t hash) {
  for (const char byte : bytes) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3ULL;
  }
  return hash;
}

std::string hexadecimal(std::uint64_t number, int digits) {
  char text[20];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(number));
  return std::string(text).substr(16 - static_cast<std::size_t>(digits));
}

std::string label_value(const std::string& text) {
  std::string out = text.substr(0, 63);
  for (char& c : out) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '.') c = '_';
  }
  const auto at_end = [](char c) { return c == '_' || c == '-' || c == '.'; };
  while (!out.empty() && at_end(out.back())) out.pop_back();
  while (!out.empty() && at_end(out.front())) out.erase(0, 1);
  return out;
}

}  // namespace assay::eval::kubernetes
