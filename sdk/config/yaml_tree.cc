// The only file that knows yaml-cpp, and the seam where its exceptions end.
#include "sdk/config/yaml_tree.h"

#include <yaml-cpp/yaml.h>

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <exception>
#include <fstream>
#include <map>
#include <utility>

#include "sdk/log/printable.h"

namespace assay::config {
namespace {

struct Refusal {
  int line;
  std::string problem;
};

std::string kind_of(const YAML::Node& node) {
  return node.IsMap() ? "a map" : node.IsSequence() ? "a list" : "nothing";
}

// Throws Refusal: it lives between yaml-cpp, which throws as well, and parse_yaml_tree, which
// catches both.
class Converter {
 public:
  YamlNode convert(const YAML::Node& from, int levels_left, int near_line) {
    YamlNode to;
    to.line = from.Mark().line >= 0 ? from.Mark().line + 1 : near_line;
    if (--nodes_left_ < 0)
      refuse(to.line, "more than " + std::to_string(kYamlNodesMax) + " values");
    if (levels_left == 0) {
      refuse(to.line, "nests deeper than " + std::to_string(kYamlNestingMax) + " levels");
    }
    if (from.IsScalar()) {
      to.kind = YamlNode::Kind::kScalar;
      to.text = from.Scalar();
      to.quoted = from.Tag() == "!";  // yaml-cpp's mark for quotes and block text
    } else if (from.IsSequence()) {
      to.kind = YamlNode::Kind::kList;
      for (const auto& item : from) to.items.push_back(convert(item, levels_left - 1, to.line));
    } else if (from.IsMap()) {
      to.kind = YamlNode::Kind::kMap;
      convert_map(from, levels_left, to);
    }
    return to;
  }

 private:
  [[noreturn]] static void refuse(int line, std::string problem) {
    throw Refusal{line, std::move(problem)};
  }

  void convert_map(const YAML::Node& from, int levels_left, YamlNode& to) {
    std::map<std::string, int> first_lines;
    for (const auto& pair : from) {
      const YAML::Node& key = pair.first;
      const int line = key.Mark().line + 1;
      if (!key.IsScalar()) refuse(line, "expected a key, found " + kind_of(key));
      const auto [first, is_new] = first_lines.emplace(key.Scalar(), line);
      if (!is_new) {
        refuse(line, "the key '" + log::printable(key.Scalar()) +
                         "' is there twice, first in line " + std::to_string(first->second));
      }
      to.entries.push_back({key.Scalar(), line, convert(pair.second, levels_left - 1, line)});
    }
  }

  std::int64_t nodes_left_ = static_cast<std::int64_t>(kYamlNodesMax);
};

YamlNode parse_or_throw(std::string_view yaml) {
  const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(yaml));
  if (documents.empty()) return {};
  if (documents.size() > 1) {
    throw Refusal{documents[1].Mark().line + 1,
                  "expected one document, found a second one ('---' begins it)"};
  }
  return Converter().convert(documents[0], kYamlNestingMax, 1);
}

Status invalid_yaml(const std::string& file, int line, const std::string& problem) {
  const std::string place = line > 0 ? file + ":" + std::to_string(line) : file;
  return fix_input("invalid_yaml", place + ": " + problem);
}

bool is_json_number(const std::string& text) {
  double value = 0;
  const std::string_view digits = std::string_view(text).substr(text[0] == '-' ? 1 : 0);
  if (digits.empty() || digits[0] < '0' || digits[0] > '9' || digits.back() == '.') return false;
  const std::size_t point = digits.find('.');
  if (point != std::string_view::npos && (digits[point + 1] < '0' || digits[point + 1] > '9')) {
    return false;  // "1.e5" is a number to C++ only
  }
  if (digits.size() > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9') return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && std::isfinite(value);
}

void append_json_scalar(std::string& out, const YamlNode& node) {
  const std::string& text = node.text;
  const bool plain = !node.quoted;
  if (plain && (text == "true" || text == "True" || text == "TRUE")) {
    out += "true";
  } else if (plain && (text == "false" || text == "False" || text == "FALSE")) {
    out += "false";
  } else if (plain && !text.empty() && is_json_number(text)) {
    out += text;
  } else {
    log::append_json_string(out, text);
  }
}

void append_json(std::string& out, const YamlNode& node) {
  const char* separator = "";
  switch (node.kind) {
    case YamlNode::Kind::kNothing:
      out += "null";
      return;
    case YamlNode::Kind::kScalar:
      append_json_scalar(out, node);
      return;
    case YamlNode::Kind::kList:
      out += '[';
      for (const YamlNode& item : node.items) {
        out += std::exchange(separator, ",");
        append_json(out, item);
      }
      out += ']';
      return;
    case YamlNode::Kind::kMap:
      out += '{';
      for (const YamlEntry& entry : node.entries) {
        out += std::exchange(separator, ",");
        log::append_json_string(out, entry.key);
        out += ':';
        append_json(out, entry.value);
      }
      out += '}';
      return;
  }
}

}  // namespace

Result<YamlNode> parse_yaml_tree(std::string_view yaml, const std::string& file) {
  if (yaml.size() > kYamlBytesMax) {
    return invalid_yaml(file, 0,
                        "expected at most " + std::to_string(kYamlBytesMax) + " bytes, found " +
                            std::to_string(yaml.size()));
  }
  try {
    return parse_or_throw(yaml);
  } catch (const Refusal& refusal) {
    return invalid_yaml(file, refusal.line, refusal.problem);
  } catch (const YAML::Exception& error) {
    return invalid_yaml(file, error.mark.line + 1, "not YAML: " + log::printable(error.msg));
  } catch (const std::exception& error) {
    return invalid_yaml(file, 0, std::string("not YAML: ") + error.what());
  }
}

Result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
  const auto unreadable = [&](const std::string& why) {
    return fix_input("unreadable_file", path + ": cannot be read: " + why);
  };
  std::ifstream file(path, std::ios::binary);
  if (!file) return unreadable(std::strerror(errno));
  std::string content;
  std::vector<char> buffer(std::size_t{64} << 10);
  errno = 0;
  while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())), file.gcount() > 0) {
    content.append(buffer.data(), static_cast<std::size_t>(file.gcount()));
    if (content.size() > bytes_max) {
      return unreadable("it is larger than " + std::to_string(bytes_max) + " bytes");
    }
  }
  // A directory opens like a file and fails at its first byte.
  if (file.bad() || !file.eof())
    return unreadable(errno == 0 ? "read error" : std::strerror(errno));
  return content;
}

std::string to_json(const YamlNode& node) {
  std::string out;
  append_json(out, node);
  return out;
}

}  // namespace assay::config
