// Strict reading of YAML: known keys only, typed and bounded values, and every mistake of a file at
// once, each with its line and what would be right.
//
//   Limits limits;  // what is not in the file keeps its value
//   Status status = config::read_yaml("limits.yaml", [&](config::Map& map) {
//     map.duration("timeout", limits.timeout, {.min = 1s, .max = 1h});
//     map.integer("pods", limits.pods, {1, 500});
//     map.map("network", [&](config::Map& network) { network.boolean("isolated", limits.isolated);
//     });
//   });
//
// limits.yaml:2: timeout: expected a duration from 1s to 1h such as 250ms, 30s, 5m or 1h, found
// 'soon' limits.yaml:5: unknown key 'isolatd'; did you mean 'isolated'? known keys here: isolated
#ifndef ASSAY_SDK_CONFIG_STRICT_YAML_H_
#define ASSAY_SDK_CONFIG_STRICT_YAML_H_

#include <concepts>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "assay/status.h"
#include "sdk/config/scalar.h"
#include "sdk/config/yaml_tree.h"

namespace assay::config {

// What is wrong with a file, gathered while it is read.
class Mistakes {
 public:
  explicit Mistakes(std::string file) : file_(std::move(file)) {}
  // `line` from 1; 0 when it concerns the file as a whole.
  void add(int line, std::string problem);
  bool empty() const { return by_line_.empty(); }
  // "file:line: problem", one a line, in the file's order.
  std::string text() const;

 private:
  std::string file_;
  std::multimap<int, std::string> by_line_;
};

// One map of a document, for as long as the function that was given it runs. Asking for a key makes
// it known; what nobody asked for is refused afterwards. A getter leaves the value as it was when
// the key is absent or wrong. A value may be an optional, which is then set.
class Map {
 public:
  using Read = std::function<void(Map&)>;
  using ReadNamed = std::function<void(const std::string& name, Map&)>;

  Map(const YamlNode& node, std::string path, Mistakes& mistakes)
      : node_(&node), path_(std::move(path)), mistakes_(&mistakes) {}
  Map(const Map&) = delete;
  Map& operator=(const Map&) = delete;

  void text(const std::string& key, std::string& value) {
    if (auto found = scalar(key)) value = std::move(*found);
  }
  void text(const std::string& key, std::optional<std::string>& value) {
    if (auto found = scalar(key)) value = std::move(*found);
  }
  template <std::integral T>
  void integer(const std::string& key, T& value, Integers range = {}) {
    if (auto found = integer(key, narrow<T>(range))) value = static_cast<T>(*found);
  }
  template <std::integral T>
  void integer(const std::string& key, std::optional<T>& value, Integers range = {}) {
    if (auto found = integer(key, narrow<T>(range))) value = static_cast<T>(*found);
  }
  void number(const std::string& key, double& value, Numbers range = {});
  void number(const std::string& key, std::optional<double>& value, Numbers range = {});
  void boolean(const std::string& key, bool& value);
  void duration(const std::string& key, Duration& value, Durations range = {});
  void duration(const std::string& key, std::optional<Duration>& value, Durations range = {});
  void bytes(const std::string& key, std::uint64_t& value, Sizes range = {});
  // One of a few words. Their order is that of the enumeration's numbers, from 0.
  template <typename Enum>
  requires std::is_enum_v<Enum>
  void choice(const std::string& key, Enum& value, const std::vector<std::string>& choices) {
    if (auto found = choice(key, choices)) value = static_cast<Enum>(*found);
  }
  void choice(const std::string& key, std::string& value, const std::vector<std::string>& choices) {
    if (auto found = choice(key, choices)) value = choices[*found];
  }
  void texts(const std::string& key, std::vector<std::string>& values);
  void texts(const std::string& key, std::map<std::string, std::string>& values);

  // The map under a key, if it is there.
  void map(const std::string& key, const Read& read);
  // Each map of the list under a key.
  void each(const std::string& key, const Read& read);
  // Each map of the map under a key, whose keys are names of the user's.
  void named(const std::string& key, const ReadNamed& read);

  bool has(const std::string& key) const;
  // The value under a key as it stands, for what has a form of its own; null when the key is
  // absent.
  const YamlNode* node(const std::string& key);
  // Makes the absence of a key a mistake.
  void require(const std::string& key);
  // Adds a mistake of the caller's at a key ("timeout: must be longer than test_timeout") or at
  // this map.
  void mistake(const std::string& key, const std::string& problem);
  void mistake(const std::string& problem);
  int line() const { return node_->line; }

  // Refuses the keys nobody asked for. The functions that hand out a Map call it.
  void refuse_unknown_keys();

 private:
  // A range no wider than the type.
  template <typename T>
  static Integers narrow(Integers range) {
    using Limits = std::numeric_limits<T>;
    if (std::cmp_greater(Limits::lowest(), range.min)) range.min = Limits::lowest();
    if (std::cmp_less(Limits::max(), range.max))
      range.max = static_cast<std::int64_t>(Limits::max());
    return range;
  }

  const YamlEntry* find(const std::string& key);
  void add(int line, const std::string& key, const std::string& problem);
  // The value of `key` if it is of that kind; its absence is no mistake.
  const YamlNode* child(const std::string& key, YamlNode::Kind kind, const char* expected);
  std::optional<std::string> scalar(const std::string& key);
  std::optional<std::string> item_text(const std::string& path, const YamlNode& node);
  std::optional<std::int64_t> integer(const std::string& key, Integers range);
  std::optional<std::size_t> choice(const std::string& key,
                                    const std::vector<std::string>& choices);
  template <typename T, typename... Range>
  std::optional<T> parsed(const std::string& key, Result<T> (*parse)(std::string_view, Range...),
                          Range... range);
  void read_child(const YamlNode& node, const std::string& path, const Read& read);

  const YamlNode* node_;
  std::string path_;  // "" or "network."
  Mistakes* mistakes_;
  std::vector<std::string> known_;
};

// Reads a file, or YAML that is at hand, whose top is a map (nothing at all counts as an empty
// one). Errors: `unreadable_file`; `invalid_yaml` (fix_input) with every mistake, one a line. Never
// throws by itself.
Status read_yaml(const std::string& path, const Map::Read& read);
Status read_yaml_text(std::string_view yaml, const std::string& file, const Map::Read& read);

}  // namespace assay::config

#endif  // ASSAY_SDK_CONFIG_STRICT_YAML_H_
