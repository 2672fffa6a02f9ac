#include "workers/build/docker/message_stream.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

namespace assay::image_build {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kLineBytesMax = std::size_t{1} << 20;

std::string text(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

EngineMessage message_of(const Json& object) {
  EngineMessage out;
  out.text = text(object, "stream");
  if (out.text.empty()) {
    out.text = text(object, "status");
    out.layer = text(object, "id");
  }
  out.error = text(object, "error");
  if (const auto detail = object.find("errorDetail");
      detail != object.end() && detail->is_object()) {
    if (out.error.empty()) out.error = text(*detail, "message");
    const auto code = detail->find("code");
    if (code != detail->end() && code->is_number_integer())
      out.error_code = code->get<std::int64_t>();
  }
  if (const auto aux = object.find("aux"); aux != object.end() && aux->is_object()) {
    out.image_id = text(*aux, "ID");
    out.digest = text(*aux, "Digest");
  }
  return out;
}

bool read_number(std::string_view& text, std::uint64_t& number) {
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
  return true;
}

}  // namespace

void MessageStream::add(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    const std::size_t room = kLineBytesMax - line_.size();
    line_.append(bytes.substr(0, std::min(end, room)));
    if (end == bytes.size()) return;
    bytes.remove_prefix(end + 1);
    line();
  }
}

void MessageStream::finish() {
  line();
}

void MessageStream::line() {
  while (line_.ends_with('\r')) line_.pop_back();
  if (line_.empty()) return;
  const Json json = Json::parse(line_, nullptr, false);
  EngineMessage message;
  if (json.is_object()) {
    message = message_of(json);
  } else {
    message.text = line_;
  }
  line_.clear();
  take_(message);
}

std::optional<BuildStep> parse_step(std::string_view line) {
  constexpr std::string_view kStep = "Step ";
  if (!line.starts_with(kStep)) return std::nullopt;
  line.remove_prefix(kStep.size());
  BuildStep step;
  if (!read_number(line, step.number) || !line.starts_with("/")) return std::nullopt;
  line.remove_prefix(1);
  if (!read_number(line, step.total) || !line.starts_with(" : ")) return std::nullopt;
  line.remove_prefix(3);
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  step.instruction = line;
  return step;
}

std::string unframed_log(std::string_view bytes) {
  std::string out;
  while (bytes.size() >= 8) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
    const bool framed = byte(0) <= 2 && byte(1) == 0 && byte(2) == 0 && byte(3) == 0;
    if (!framed) break;
    const std::size_t length = static_cast<std::size_t>(byte(4)) << 24 |
                               static_cast<std::size_t>(byte(5)) << 16 |
                               static_cast<std::size_t>(byte(6)) << 8 | byte(7);
    bytes.remove_prefix(8);
    out += bytes.substr(0, length);
    bytes.remove_prefix(std::min(length, bytes.size()));
  }
  out += bytes;
  return out;
}

}  // namespace assay::image_build
