#include "sdk/build/ignore_rules.h"

#include <algorithm>

namespace assay::build {
namespace {

constexpr std::size_t kRulesMax = 2000;
constexpr std::size_t kPatternBytesMax = 1024;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const auto begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

// "./a//b/../c/" -> "a/c", as Go's filepath.Clean does it, and without the "/" in front.
std::string cleaned(std::string_view pattern) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  while (begin <= pattern.size()) {
    const std::size_t end = std::min(pattern.find('/', begin), pattern.size());
    const std::string_view part = pattern.substr(begin, end - begin);
    if (part == ".." && !parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
    begin = end + 1;
  }
  std::string out;
  for (const std::string_view part : parts) {
    if (!out.empty()) out += '/';
    out += part;
  }
  return out;
}

}  // namespace

Result<IgnoreRules> IgnoreRules::parse(std::string_view text) {
  IgnoreRules out;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  int number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    const auto wrong = [&](const std::string& what) {
      return fix_input("invalid_ignore_file",
                       ".dockerignore:" + std::to_string(number) + ": " + what);
    };
    if (line.starts_with("#")) continue;
    line = trimmed(line);
    Rule rule;
    if (line.starts_with("!")) {
      rule.exclude = false;
      line = trimmed(line.substr(1));
      if (line.empty()) return wrong("expected a pattern after '!'");
    }
    const std::string pattern = cleaned(line);
    if (pattern.empty()) continue;
    if (pattern.size() > kPatternBytesMax) return wrong("a pattern of more than 1024 bytes");
    if (out.rules_.size() == kRulesMax) return wrong("more than 2000 patterns");
    if (!compile(pattern, rule.tokens))
      return wrong("expected a closing ']' or something after '\\'");
    out.has_exceptions_ |= !rule.exclude;
    out.rules_.push_back(std::move(rule));
  }
  return out;
}

bool IgnoreRules::compile(std::string_view pattern, std::vector<Token>& out) {
  using Kind = Token::Kind;
  std::size_t i = 0;
  while (i < pattern.size()) {
    const char c = pattern[i];
    if (c == '*' && pattern.substr(i).starts_with("**")) {
      i += 2;
      const bool slash = i < pattern.size() && pattern[i] == '/';
      if (slash) ++i;
      out.push_back({slash ? Kind::kAnyParts : Kind::kAnything});
    } else if (c == '*') {
      out.push_back({Kind::kStar});
      ++i;
    } else if (c == '?') {
      out.push_back({Kind::kAnyByte});
      ++i;
    } else if (c == '[') {
      Token token{Kind::kSet};
      ++i;
      const bool inverted = i < pattern.size() && pattern[i] == '^';
      if (inverted) ++i;
      const std::size_t close = pattern.find(']', i + 1);
      if (close == std::string_view::npos) return false;
      for (; i < close; ++i) {
        const auto first = static_cast<unsigned char>(pattern[i]);
        unsigned last = first;
        if (i + 2 < close && pattern[i + 1] == '-') {
          last = static_cast<unsigned char>(pattern[i + 2]);
          i += 2;
        }
        for (unsigned byte = first; byte <= last; ++byte) token.set.set(byte);
      }
      if (inverted) token.set.flip();
      token.set.reset('/');
      out.push_back(token);
      i = close + 1;
    } else {
      if (c == '\\' && ++i == pattern.size()) return false;
      out.push_back({Kind::kByte, pattern[i]});
      ++i;
    }
  }
  return true;
}

// All places of the pattern where a match may stand are followed at once, so that the time is the
// product of the two lengths whatever the pattern.
bool IgnoreRules::matches(const std::vector<Token>& tokens, std::string_view path) {
  using Kind = Token::Kind;
  std::vector<char> now(tokens.size() + 1, 0);
  std::vector<char> next(tokens.size() + 1, 0);
  // What needs no byte: a star, "**" and "**/" may stand for nothing.
  const auto skip_on = [&](std::vector<char>& states) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const Kind kind = tokens[i].kind;
      const bool may_be_nothing =
          kind == Kind::kStar || kind == Kind::kAnything || kind == Kind::kAnyParts;
      if (states[i] == 1 && may_be_nothing) states[i + 1] = 1;
    }
  };
  now[0] = 1;
  skip_on(now);
  for (const char c : path) {
    std::fill(next.begin(), next.end(), 0);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (now[i] == 0) continue;
      const Token& token = tokens[i];
      switch (token.kind) {
        case Kind::kByte:
          if (c == token.byte) next[i + 1] = 1;
          break;
        case Kind::kAnyByte:
          if (c != '/') next[i + 1] = 1;
          break;
        case Kind::kSet:
          if (token.set.test(static_cast<unsigned char>(c))) next[i + 1] = 1;
          break;
        case Kind::kStar:
          if (c != '/') next[i] = 1;
          break;
        case Kind::kAnything:
          next[i] = 1;
          break;
        case Kind::kAnyParts:
          // State 2: in the midst of a part; only its "/" lets the pattern go on.
          if (c == '/') next[i + 1] = 1;
          if (c == '/') {
            next[i] = 1;
          } else if (next[i] == 0) {
            next[i] = 2;
          }
          break;
      }
    }
    skip_on(next);
    now.swap(next);
  }
  return now[tokens.size()] != 0;
}

bool IgnoreRules::excludes(std::string_view path) const {
  bool excluded = false;
  for (const Rule& rule : rules_) {
    if (rule.exclude == excluded) continue;
    bool match = matches(rule.tokens, path);
    for (auto slash = path.find('/'); !match && slash != std::string_view::npos;
         slash = path.find('/', slash + 1)) {
      match = matches(rule.tokens, path.substr(0, slash));
    }
    if (match) excluded = rule.exclude;
  }
  return excluded;
}

}  // namespace assay::build
