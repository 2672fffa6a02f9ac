#include "sdk/config/strict_yaml.h"

#include <algorithm>

#include "sdk/log/printable.h"

namespace assay::config {
namespace {

// One file's mistakes are read by one person.
constexpr std::size_t kMistakesMax = 100;

std::string describe(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNothing:
      return "nothing";
    case YamlNode::Kind::kScalar:
      return "'" + log::printable(node.text.substr(0, 200)) + "'";
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMap:
      return "a map";
  }
  return "nothing";
}

}  // namespace

void Mistakes::add(int line, std::string problem) {
  if (by_line_.size() < kMistakesMax) by_line_.emplace(line, std::move(problem));
}

std::string Mistakes::text() const {
  std::string text;
  for (const auto& [line, problem] : by_line_) {
    if (!text.empty()) text += '\n';
    text += file_ + (line > 0 ? ":" + std::to_string(line) : "") + ": " + problem;
  }
  return text;
}

const YamlEntry* Map::find(const std::string& key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.push_back(key);
  for (const YamlEntry& entry : node_->entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

bool Map::has(const std::string& key) const {
  return std::any_of(node_->entries.begin(), node_->entries.end(),
                     [&](const YamlEntry& entry) { return entry.key == key; });
}

const YamlNode* Map::node(const std::string& key) {
  const YamlEntry* entry = find(key);
  return entry == nullptr ? nullptr : &entry->value;
}

void Map::add(int line, const std::string& key, const std::string& problem) {
  mistakes_->add(line, path_ + key + ": " + problem);
}

void Map::require(const std::string& key) {
  if (find(key) == nullptr) add(line(), key, "is required and missing");
}

void Map::mistake(const std::string& key, const std::string& problem) {
  const YamlEntry* entry = find(key);
  add(entry == nullptr ? line() : entry->line, key, problem);
}

void Map::mistake(const std::string& problem) {
  const std::string place = path_.empty() ? "" : path_.substr(0, path_.size() - 1) + ": ";
  mistakes_->add(line(), place + problem);
}

void Map::refuse_unknown_keys() {
  for (const YamlEntry& entry : node_->entries) {
    if (std::find(known_.begin(), known_.end(), entry.key) != known_.end()) continue;
    const std::string near = nearest(entry.key, known_);
    const std::string within =
        path_.empty() ? "" : " in '" + path_.substr(0, path_.size() - 1) + "'";
    std::vector<std::string> sorted = known_;
    std::sort(sorted.begin(), sorted.end());
    mistakes_->add(entry.line, "unknown key '" + log::printable(entry.key.substr(0, 200)) + "'" +
                                   within + "; " +
                                   (near.empty() ? "" : "did you mean '" + near + "'? ") +
                                   "known keys here: " + join(sorted));
  }
}

const YamlNode* Map::child(const std::string& key, YamlNode::Kind kind, const char* expected) {
  const YamlEntry* entry = find(key);
  if (entry == nullptr) return nullptr;
  if (entry->value.kind == kind) return &entry->value;
  add(entry->line, key, "expected " + std::string(expected) + ", found " + describe(entry->value));
  return nullptr;
}

std::optional<std::string> Map::scalar(const std::string& key) {
  const YamlNode* node = child(key, YamlNode::Kind::kScalar, "a string");
  return node == nullptr ? std::nullopt : std::optional(node->text);
}

std::optional<std::string> Map::item_text(const std::string& path, const YamlNode& node) {
  if (node.kind == YamlNode::Kind::kScalar) return node.text;
  add(node.line, path, "expected a string, found " + describe(node));
  return std::nullopt;
}

template <typename T, typename... Range>
std::optional<T> Map::parsed(const std::string& key, Result<T> (*parse)(std::string_view, Range...),
                             Range... range) {
  const YamlNode* node = child(key, YamlNode::Kind::kScalar, "one value");
  if (node == nullptr) return std::nullopt;
  Result<T> value = parse(node->text, range...);
  // In quotes it is a string to YAML, whatever it looks like; where units are common, quotes are
  // too.
  constexpr bool kIsPlain = !std::is_same_v<T, Duration> && !std::is_same_v<T, std::uint64_t>;
  if (value.is_ok() && node->quoted && kIsPlain) {
    add(node->line, key, "expected it without quotes, found the string \"" + node->text + "\"");
    return std::nullopt;
  }
  if (value.is_ok()) return *value;
  add(node->line, key, value.status().message());
  return std::nullopt;
}

std::optional<std::int64_t> Map::integer(const std::string& key, Integers range) {
  return parsed(key, &parse_integer, range);
}

std::optional<std::size_t> Map::choice(const std::string& key,
                                       const std::vector<std::string>& choices) {
  const YamlNode* node = child(key, YamlNode::Kind::kScalar, ("one of " + join(choices)).c_str());
  if (node == nullptr) return std::nullopt;
  Result<std::size_t> value = parse_choice(node->text, choices);
  if (value.is_ok()) return *value;
  const std::string near = nearest(node->text, choices);
  add(node->line, key,
      value.status().message() + (near.empty() ? "" : "; did you mean '" + near + "'?"));
  return std::nullopt;
}

void Map::number(const std::string& key, double& value, Numbers range) {
  value = parsed(key, &parse_number, range).value_or(value);
}
void Map::number(const std::string& key, std::optional<double>& value, Numbers range) {
  if (auto found = parsed(key, &parse_number, range)) value = found;
}
void Map::boolean(const std::string& key, bool& value) {
  value = parsed(key, &parse_boolean).value_or(value);
}
void Map::duration(const std::string& key, Duration& value, Durations range) {
  value = parsed(key, &parse_duration, range).value_or(value);
}
void Map::duration(const std::string& key, std::optional<Duration>& value, Durations range) {
  if (auto found = parsed(key, &parse_duration, range)) value = found;
}
void Map::bytes(const std::string& key, std::uint64_t& value, Sizes range) {
  value = parsed(key, &parse_bytes, range).value_or(value);
}

void Map::texts(const std::string& key, std::vector<std::string>& values) {
  const YamlNode* list = child(key, YamlNode::Kind::kList, "a list of strings");
  if (list == nullptr) return;
  values.clear();
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    auto text = item_text(key + "[" + std::to_string(i) + "]", list->items[i]);
    if (text) values.push_back(std::move(*text));
  }
}

void Map::texts(const std::string& key, std::map<std::string, std::string>& values) {
  const YamlNode* map = child(key, YamlNode::Kind::kMap, "a map of strings");
  if (map == nullptr) return;
  values.clear();
  for (const YamlEntry& entry : map->entries) {
    auto text = item_text(key + "." + entry.key, entry.value);
    if (text) values.emplace(entry.key, std::move(*text));
  }
}

void Map::read_child(const YamlNode& node, const std::string& path, const Read& read) {
  Map child(node, path_ + path + ".", *mistakes_);
  read(child);
  child.refuse_unknown_keys();
}

void Map::map(const std::string& key, const Read& read) {
  const YamlNode* node = child(key, YamlNode::Kind::kMap, "a map");
  if (node != nullptr) read_child(*node, key, read);
}

void Map::each(const std::string& key, const Read& read) {
  const YamlNode* list = child(key, YamlNode::Kind::kList, "a list of maps");
  if (list == nullptr) return;
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    const YamlNode& item = list->items[i];
    const std::string path = key + "[" + std::to_string(i) + "]";
    if (item.kind == YamlNode::Kind::kMap) {
      read_child(item, path, read);
    } else {
      add(item.line, path, "expected a map, found " + describe(item));
    }
  }
}

void Map::named(const std::string& key, const ReadNamed& read) {
  const YamlNode* node = child(key, YamlNode::Kind::kMap, "a map");
  if (node == nullptr) return;
  for (const YamlEntry& entry : node->entries) {
    const std::string path = key + "." + entry.key;
    if (entry.value.kind == YamlNode::Kind::kMap || entry.value.kind == YamlNode::Kind::kNothing) {
      // `eval:` with nothing under it is a name whose settings are all the usual ones.
      read_child(entry.value, path, [&](Map& child) { read(entry.key, child); });
    } else {
      add(entry.line, path, "expected a map, found " + describe(entry.value));
    }
  }
}

Status read_yaml_text(std::string_view yaml, const std::string& file, const Map::Read& read) {
  Result<YamlNode> tree = parse_yaml_tree(yaml, file);
  if (!tree.is_ok()) return tree.status();
  Mistakes mistakes(file);
  if (tree->kind == YamlNode::Kind::kScalar || tree->kind == YamlNode::Kind::kList) {
    mistakes.add(tree->line, "expected a map of keys and values, found " + describe(*tree));
  } else {
    Map map(*tree, "", mistakes);
    read(map);
    map.refuse_unknown_keys();
  }
  return mistakes.empty() ? Status::ok() : fix_input("invalid_yaml", mistakes.text());
}

Status read_yaml(const std::string& path, const Map::Read& read) {
  Result<std::string> content = read_file(path);
  return content.is_ok() ? read_yaml_text(*content, path, read) : content.status();
}

}  // namespace assay::config
