#include "sdk/build/build_rules.h"

#include <algorithm>
#include <array>

namespace assay::build {
namespace {

constexpr std::size_t kUrlBytesMax = 2048;
constexpr std::size_t kRefBytesMax = 255;
constexpr std::size_t kPathBytesMax = 1024;
constexpr std::size_t kNameBytesMax = 128;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Letters, digits and the characters of `more`, beginning with a letter, a digit or one of `first`.
bool is_word(std::string_view text, std::string_view more, std::string_view first = {}) {
  if (text.empty()) return false;
  const auto plain = [](char c) { return is_letter(c) || is_digit(c); };
  if (!plain(text.front()) && first.find(text.front()) == std::string_view::npos) return false;
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return plain(c) || more.find(c) != std::string_view::npos; });
}

struct GitPlace {
  std::string_view protocol;
  std::string_view user;
  std::string_view host;
  std::string_view path;
};

// Splits without judging; an empty protocol when it has none of the known forms.
GitPlace split(std::string_view url) {
  GitPlace place;
  for (const std::string_view protocol : {"https", "http", "ssh", "git"}) {
    if (!url.starts_with(protocol) || !url.substr(protocol.size()).starts_with("://")) continue;
    place.protocol = protocol;
    url.remove_prefix(protocol.size() + 3);
    const auto slash = url.find('/');
    if (slash != std::string_view::npos) place.path = url.substr(slash);
    std::string_view authority = url.substr(0, slash);
    const auto at = authority.rfind('@');
    if (at != std::string_view::npos) {
      place.user = authority.substr(0, at);
      authority.remove_prefix(at + 1);
    }
    place.host = authority;
    return place;
  }
  // user@host:path
  const auto at = url.find('@');
  const auto colon = url.find(':');
  if (at == std::string_view::npos || colon == std::string_view::npos || colon < at) return place;
  if (url.substr(colon).starts_with("::")) return place;
  place.protocol = "ssh";
  place.user = url.substr(0, at);
  place.host = url.substr(at + 1, colon - at - 1);
  place.path = url.substr(colon + 1);
  return place;
}

}  // namespace

bool is_one_line(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

std::string git_url_problem(std::string_view url) {
  constexpr const char* kExpected = "expected https://HOST/PATH, ssh://HOST/PATH or USER@HOST:PATH";
  if (url.size() > kUrlBytesMax) return "longer than 2048 bytes";
  constexpr std::string_view kPlain = "-._~:/@%+,=";
  if (!is_word(url, kPlain)) {
    return std::string(kExpected) + " of letters, digits and -._~:/@%+,= only";
  }
  const GitPlace place = split(url);
  if (place.protocol.empty()) return kExpected;
  if (place.user.find(':') != std::string_view::npos) {
    return "it holds a password; credentials come from the worker's configuration";
  }
  if (!place.user.empty() && !is_word(place.user, "-._")) return "its user is no plain name";
  if (!is_word(place.host, "-.:")) return std::string(kExpected) + "; its host is no plain name";
  if (place.path.empty() || place.path == "/")
    return std::string(kExpected) + "; the path is missing";
  if (place.path.starts_with("-") || place.path.starts_with("/-")) {
    return "its path begins with '-'";
  }
  return {};
}

std::string git_host(std::string_view url) {
  std::string host(split(url).host);
  host.resize(std::min(host.size(), host.find(':')));
  for (char& c : host) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return host;
}

std::string git_protocol(std::string_view url) {
  return std::string(split(url).protocol);
}

std::string git_ref_problem(std::string_view ref) {
  if (ref.size() > kRefBytesMax) return "longer than 255 bytes";
  const bool good = is_word(ref, "-._/+#=", "_") && ref.find("..") == std::string_view::npos &&
                    ref.find("//") == std::string_view::npos &&
                    ref.find("/.") == std::string_view::npos && !ref.ends_with("/") &&
                    !ref.ends_with(".") && !ref.ends_with(".lock");
  if (!good) return "expected a branch, a tag or a commit, such as main, v1.2 or 40 digits of one";
  return {};
}

std::string context_path_problem(std::string_view path) {
  if (path.empty()) return "empty";
  if (path.size() > kPathBytesMax) return "longer than 1024 bytes";
  if (path.front() == '/') return "absolute; expected a path inside the source";
  if (!is_one_line(path)) return "it has control characters";
  if (path.find('\\') != std::string_view::npos) return "it has a backslash";
  std::size_t begin = 0;
  while (begin <= path.size()) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    if (part == "..") return "it leaves the source by '..'";
    if (part.empty() && end != path.size()) return "it has an empty part";
    begin = end + 1;
  }
  return {};
}

std::string platform_problem(std::string_view platform) {
  constexpr std::array<std::string_view, 8> kKnown{"linux/amd64",   "linux/arm64", "linux/arm/v7",
                                                   "linux/arm/v6",  "linux/386",   "linux/ppc64le",
                                                   "linux/riscv64", "linux/s390x"};
  if (std::find(kKnown.begin(), kKnown.end(), platform) != kKnown.end()) return {};
  std::string known;
  for (const std::string_view one : kKnown) known += (known.empty() ? "" : ", ") + std::string(one);
  return "expected one of " + known;
}

std::string variable_name_problem(std::string_view name) {
  if (name.size() <= kNameBytesMax && is_word(name, "_-.", "_") && !is_digit(name.front())) {
    return {};
  }
  return "expected a name of letters, digits, '_', '-' and '.', at most 128, no digit first";
}

std::string label_name_problem(std::string_view name) {
  if (name.size() <= kNameBytesMax && is_word(name, "_-./")) return {};
  return "expected a name of letters, digits, '.', '-', '_' and '/', at most 128";
}

std::string stage_name_problem(std::string_view name) {
  if (name.size() <= kNameBytesMax && is_word(name, "_-.")) return {};
  return "expected a stage's name: letters, digits, '_', '-', '.', at most 128";
}

std::string http_path_problem(std::string_view path) {
  const bool plain =
      std::all_of(path.begin(), path.end(), [](char c) { return c > 0x20 && c < 0x7F; });
  if (path.size() <= kPathBytesMax && path.starts_with("/") && plain) return {};
  return "expected a path that begins with '/', without spaces";
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return is_digit(c) || (c >= 'a' && c <= 'f');
         });
}

}  // namespace assay::build
