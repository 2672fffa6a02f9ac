// Which files of a context a .dockerignore leaves out. Pure; it reads no file. The rules are those
// of github.com/moby/patternmatcher: the last line that matches a path, or a folder above it,
// decides; "!" takes back; "*" and "?" stay within a part, "**" crosses parts.
#ifndef ASSAY_SDK_BUILD_IGNORE_RULES_H_
#define ASSAY_SDK_BUILD_IGNORE_RULES_H_

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "assay/status.h"

namespace assay::build {

class IgnoreRules {
 public:
  IgnoreRules() = default;
  // Errors: `invalid_ignore_file` (fix_input) with the line.
  static Result<IgnoreRules> parse(std::string_view text);

  // `path` is relative, with "/" between its parts.
  bool excludes(std::string_view path) const;
  // Whether all below an excluded folder is excluded too, so that nobody needs to look.
  bool excludes_all_below() const { return !has_exceptions_; }

 private:
  struct Token {
    enum class Kind : std::uint8_t { kByte, kAnyByte, kSet, kStar, kAnyParts, kAnything };
    Kind kind = Kind::kByte;
    char byte = 0;
    std::bitset<256> set = {};
  };
  struct Rule {
    std::vector<Token> tokens;
    bool exclude = true;
  };
  static bool compile(std::string_view pattern, std::vector<Token>& out);
  static bool matches(const std::vector<Token>& tokens, std::string_view path);

  std::vector<Rule> rules_;
  bool has_exceptions_ = false;
};

}  // namespace assay::build

#endif  // ASSAY_SDK_BUILD_IGNORE_RULES_H_
