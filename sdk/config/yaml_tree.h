// A YAML document as plain values that know their lines. It does not know what any key means.
#ifndef ASSAY_SDK_CONFIG_YAML_TREE_H_
#define ASSAY_SDK_CONFIG_YAML_TREE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "assay/status.h"

namespace assay::config {

inline constexpr std::size_t kYamlBytesMax = std::size_t{8} << 20;
inline constexpr std::size_t kYamlNodesMax = 200'000;  // aliases count each time they are used
inline constexpr int kYamlNestingMax = 64;

struct YamlEntry;

struct YamlNode {
  enum class Kind : std::uint8_t { kNothing, kScalar, kList, kMap };
  Kind kind = Kind::kNothing;
  int line = 0;         // from 1; 0 when it is nowhere
  std::string text;     // of a scalar, as it was written
  bool quoted = false;  // "5" is a string even though 5 is a number
  std::vector<YamlNode> items;
  std::vector<YamlEntry> entries;  // in the order of the file
};

struct YamlEntry {
  std::string key;
  int line = 0;
  YamlNode value;
};

// Errors: `invalid_yaml` (fix_input): syntax, a key twice in one map, a key that is no plain text,
// more than one document, or a bound above; with `file` and the line in front ("a.yaml:3: ...").
// Never throws.
Result<YamlNode> parse_yaml_tree(std::string_view yaml, const std::string& file);

// The whole file. Errors: `unreadable_file` (fix_input).
Result<std::string> read_file(const std::string& path, std::size_t bytes_max = kYamlBytesMax);

// The same as JSON, with numbers, booleans and null as YAML's core schema tells them from strings.
std::string to_json(const YamlNode& node);

}  // namespace assay::config

#endif  // ASSAY_SDK_CONFIG_YAML_TREE_H_
