#include "sdk/pipeline/step.h"

#include <algorithm>
#include <functional>
#include <set>

namespace assay::pipeline {
namespace {

using config::Mistakes;
using config::YamlEntry;
using config::YamlNode;

constexpr std::size_t kCombinationsMax = 10'000;
constexpr std::string_view kSteps = "steps.";

void add_references(std::string_view text, std::set<std::string>& names) {
  const Lookup note = [&](std::string_view name) -> Result<std::string> {
    if (name.starts_with(kSteps)) {
      name.remove_prefix(kSteps.size());
      names.emplace(name.substr(0, name.find('.')));
    }
    return std::string();
  };
  (void)fill_in(text, note).is_ok();  // a mistake in it is told when it is filled in for good
}

void add_references(const YamlNode& node, std::set<std::string>& names) {
  add_references(node.text, names);
  for (const YamlNode& item : node.items) add_references(item, names);
  for (const YamlEntry& entry : node.entries) add_references(entry.value, names);
}

// The values of one key, with the variables filled in.
std::vector<std::string> values_of(const YamlEntry& entry, const Lookup& variables,
                                   Mistakes& mistakes) {
  std::vector<std::string> values;
  if (entry.value.kind != YamlNode::Kind::kList || entry.value.items.empty()) {
    mistakes.add(entry.line, "matrix." + entry.key + ": expected a list with at least one value");
    return values;
  }
  for (const YamlNode& item : entry.value.items) {
    if (item.kind != YamlNode::Kind::kScalar) {
      mistakes.add(item.line, "matrix." + entry.key + ": expected plain values");
      continue;
    }
    Result<std::string> value = fill_in(item.text, variables);
    if (!value.is_ok()) {
      mistakes.add(item.line, "matrix." + entry.key + ": " + value.status().message());
    } else if (std::find(values.begin(), values.end(), *value) != values.end()) {
      mistakes.add(item.line, "matrix." + entry.key + ": '" + *value + "' stands there twice");
    } else {
      values.push_back(std::move(*value));
    }
  }
  return values;
}

}  // namespace

std::string name_of(const Step& step, const Combination& combination) {
  std::string text;
  for (const auto& [key, value] : combination) {
    text += (text.empty() ? "[" : ",") + key + "=" + value;
  }
  return step.name + text + (text.empty() ? "" : "]");
}

std::vector<Combination> read_matrix(const YamlNode& matrix, const Lookup& variables,
                                     Mistakes& mistakes) {
  std::vector<Combination> combinations(1);
  if (matrix.kind != YamlNode::Kind::kMap || matrix.entries.empty()) {
    mistakes.add(matrix.line, "matrix: expected a map of names to lists of values");
    return combinations;
  }
  for (const YamlEntry& entry : matrix.entries) {
    const std::vector<std::string> values = values_of(entry, variables, mistakes);
    if (combinations.size() * values.size() > kCombinationsMax) {
      mistakes.add(entry.line, "matrix: expected at most " + std::to_string(kCombinationsMax) +
                                   " combinations");
      return combinations;
    }
    std::vector<Combination> longer;
    for (const Combination& combination : combinations) {
      for (const std::string& value : values) {
        longer.push_back(combination);
        longer.back().emplace_back(entry.key, value);
      }
    }
    if (!longer.empty()) combinations = std::move(longer);
  }
  return combinations;
}

std::vector<std::string> steps_referred_to(const YamlNode& node) {
  std::set<std::string> names;
  add_references(node, names);
  return {names.begin(), names.end()};
}

void fill_in(YamlNode& node, const Lookup& lookup, Mistakes& mistakes) {
  if (node.kind == YamlNode::Kind::kScalar && node.text.find("${") != std::string::npos) {
    Result<std::string> text = fill_in(node.text, lookup);
    if (text.is_ok()) {
      node.text = std::move(*text);
      node.quoted = false;  // the quotes were YAML's, for the braces: a number may be meant
    } else {
      mistakes.add(node.line, text.status().message());
    }
  }
  for (YamlNode& item : node.items) fill_in(item, lookup, mistakes);
  for (YamlEntry& entry : node.entries) fill_in(entry.value, lookup, mistakes);
}

std::vector<const Step*> in_order(const std::vector<Step>& steps, Mistakes& mistakes) {
  enum class Mark : std::uint8_t { kNew, kOpen, kDone };
  std::map<std::string, std::pair<const Step*, Mark>> marks;
  for (const Step& step : steps) marks[step.name] = {&step, Mark::kNew};
  std::vector<const Step*> order;
  std::vector<std::string> way;  // from the first step to the one being visited
  bool circle = false;
  const std::function<void(const std::string&)> visit = [&](const std::string& name) {
    const auto found = marks.find(name);
    if (found == marks.end() || found->second.second == Mark::kDone || circle) return;
    auto& [step, mark] = found->second;
    way.push_back(name);
    if (mark == Mark::kOpen) {
      std::string text;
      for (auto at = std::find(way.begin(), way.end(), name); at != way.end(); ++at) {
        text += (text.empty() ? "'" : " after '") + *at + "'";
      }
      mistakes.add(step->line, "steps wait for each other in a circle: " + text);
      circle = true;
      return;
    }
    mark = Mark::kOpen;
    for (const std::string& other : step->after) visit(other);
    way.pop_back();
    mark = Mark::kDone;
    order.push_back(step);
  };
  for (const Step& step : steps) visit(step.name);
  if (circle) order.clear();
  return order;
}

}  // namespace assay::pipeline
