#include "workers/eval/monitor/safety_rules.h"

#include <algorithm>

namespace assay::eval {
namespace {

constexpr std::size_t kLineShownMax = 200;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace

std::vector<SafetyWatch::Finding> SafetyWatch::look(std::string_view lines) {
  std::vector<Finding> out;
  if (spoken_.size() == rules_.size()) return out;
  // Lower case has the same length: what is found there stands at the same place.
  const std::string text = lower(lines);
  for (const SafetyRule& rule : rules_) {
    if (spoken_.contains(rule.name)) continue;
    std::size_t at = std::string::npos;
    for (const std::string& words : rule.contains) at = std::min(at, text.find(lower(words)));
    if (at == std::string::npos) continue;
    const std::size_t before = at == 0 ? std::string::npos : lines.rfind('\n', at - 1);
    const std::size_t begin = before == std::string::npos ? 0 : before + 1;
    const std::string_view line = lines.substr(begin, lines.find('\n', at) - begin);
    spoken_.insert(rule.name);
    out.push_back({rule.name, rule.stops, std::string(line.substr(0, kLineShownMax))});
  }
  return out;
}

}  // namespace assay::eval
