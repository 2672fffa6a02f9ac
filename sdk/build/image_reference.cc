// References of images, after the grammar of github.com/distribution/reference.
#include <algorithm>

#include "assay/build.h"
#include "sdk/build/build_rules.h"
#include "sdk/log/printable.h"

namespace assay {
namespace {

constexpr std::size_t kNameBytesMax = 255;
constexpr std::size_t kTagBytesMax = 128;

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// [a-z0-9]+ with single separators . _ __ or any number of - between.
bool is_path_part(std::string_view part) {
  if (part.empty() || !is_lower_or_digit(part.front()) || !is_lower_or_digit(part.back())) {
    return false;
  }
  std::size_t i = 0;
  while (i < part.size()) {
    if (is_lower_or_digit(part[i])) {
      ++i;
      continue;
    }
    const std::size_t begin = i;
    while (i < part.size() && !is_lower_or_digit(part[i])) ++i;
    const std::string_view between = part.substr(begin, i - begin);
    const bool dashes = between.find_first_not_of('-') == std::string_view::npos;
    if (!dashes && between != "." && between != "_" && between != "__") return false;
  }
  return true;
}

bool is_path(std::string_view path) {
  if (path.empty()) return false;
  std::size_t begin = 0;
  while (begin <= path.size()) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    if (!is_path_part(path.substr(begin, end - begin))) return false;
    begin = end + 1;
  }
  return true;
}

bool is_host(std::string_view host) {
  const auto colon = host.find(':');
  const std::string_view name = host.substr(0, colon);
  if (name.empty() || name.front() == '-' || name.front() == '.' || name.back() == '-' ||
      name.back() == '.') {
    return false;
  }
  const auto plain = [](char c) {
    return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '-' || c == '.';
  };
  if (!std::all_of(name.begin(), name.end(), plain)) return false;
  if (name.find("..") != std::string_view::npos) return false;
  if (colon == std::string_view::npos) return true;
  const std::string_view port = host.substr(colon + 1);
  return !port.empty() && port.size() <= 5 &&
         std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_tag(std::string_view tag) {
  const auto plain = [](char c) {
    return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '_';
  };
  if (tag.empty() || tag.size() > kTagBytesMax || !plain(tag.front())) return false;
  return std::all_of(tag.begin(), tag.end(),
                     [&](char c) { return plain(c) || c == '.' || c == '-'; });
}

}  // namespace

std::string ImageReference::text() const {
  std::string out = host.empty() ? path : name();
  if (!tag.empty()) out += ":" + tag;
  if (!digest.empty()) out += "@" + digest;
  return out;
}

Result<ImageReference> parse_image_reference(std::string_view text, bool host_required) {
  const auto wrong = [&](const std::string& what) {
    return fix_input("invalid_image",
                     what + ", found '" + log::printable(text.substr(0, 300)) + "'");
  };
  ImageReference out;
  std::string_view rest = text;
  if (const auto at = rest.find('@'); at != std::string_view::npos) {
    const std::string_view digest = rest.substr(at + 1);
    if (!digest.starts_with("sha256:") || !build::is_sha256(digest.substr(7))) {
      return wrong("expected @sha256: and 64 hexadecimal digits");
    }
    out.digest = digest;
    rest = rest.substr(0, at);
  }
  const auto slash = rest.rfind('/');
  const auto colon = rest.find(':', slash == std::string_view::npos ? 0 : slash);
  if (colon != std::string_view::npos) {
    out.tag = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
    if (!is_tag(out.tag)) {
      return wrong("expected a tag of letters, digits, '_', '.', '-', at most 128");
    }
  } else if (out.digest.empty()) {
    out.tag = "latest";
  }
  const auto first = rest.find('/');
  const std::string_view head = rest.substr(0, first);
  const bool has_host = first != std::string_view::npos &&
                        (head.find_first_of(".:") != std::string_view::npos || head == "localhost");
  if (has_host) {
    out.host = head;
    rest = rest.substr(first + 1);
    if (!is_host(out.host)) return wrong("expected a registry's HOST or HOST:PORT in front");
  } else if (host_required) {
    return wrong("expected HOST/NAME:TAG, such as registry.example:5000/team/bench:v2");
  }
  if (rest.size() > kNameBytesMax || !is_path(rest)) {
    return wrong(
        "expected a name of lower-case letters and digits, with . _ - inside and / between");
  }
  out.path = rest;
  return out;
}

}  // namespace assay
