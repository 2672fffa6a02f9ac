#include "sdk/pipeline/input_reference.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

namespace assay::pipeline {
namespace {

using nlohmann::json;

constexpr std::string_view kBegin = "${inputs.";

Status unresolved(const std::string& what, const std::string& why) {
  return fix_input("unresolved_input", "'" + what + "' has no value: " + why);
}

// One step of a path: a key of an object, or the number of an item.
const json* child(const json& value, std::string_view name) {
  if (value.is_object()) {
    const auto found = value.find(name);
    return found == value.end() ? nullptr : &*found;
  }
  std::size_t number = 0;
  const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool whole = error == std::errc() && stop == name.data() + name.size();
  return value.is_array() && whole && number < value.size() ? &value[number] : nullptr;
}

std::optional<std::string> scalar_text(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number() || value.is_boolean()) return value.dump();
  return std::nullopt;
}

Result<std::string> value_of(std::string_view id_text, std::string_view path,
                             const std::vector<TaskInput>& inputs) {
  const std::string what = std::string(id_text) + "." + std::string(path);
  const auto id = TaskId::parse(id_text);
  const auto input = std::find_if(inputs.begin(), inputs.end(),
                                  [&](const TaskInput& one) { return id && one.id == *id; });
  if (input == inputs.end()) return unresolved(what, "the task does not come after that one");
  const json document = json::parse(input->result, nullptr, false);
  if (document.is_discarded()) {
    return unresolved(what, "that task " + std::string(to_string(input->state)) +
                                ", and its result is no JSON document");
  }
  const json* value = &document;
  for (std::string_view rest = path; !rest.empty();) {
    const std::string_view name = rest.substr(0, rest.find('.'));
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
    value = child(*value, name);
    if (value == nullptr) {
      return unresolved(what, "that task " + std::string(to_string(input->state)) +
                                  ", and its result has no '" + std::string(name) + "' there");
    }
  }
  std::optional<std::string> text = scalar_text(*value);
  if (!text) return unresolved(what, "expected a text, number or truth value");
  if (text->size() > kInputValueBytesMax) {
    return unresolved(what, "expected at most " + std::to_string(kInputValueBytesMax) +
                                " bytes, found " + std::to_string(text->size()));
  }
  return std::move(*text);
}

}  // namespace

std::string input_reference(const TaskId& task, std::string_view path) {
  return std::string(kBegin) + task.text() + "." + std::string(path) + "}";
}

Status resolve_inputs(std::string& text, const std::vector<TaskInput>& inputs) {
  std::size_t from = 0;
  while ((from = text.find(kBegin, from)) != std::string::npos) {
    const std::size_t end = text.find('}', from);
    if (end == std::string::npos) return Status::ok();
    const std::string_view name =
        std::string_view(text).substr(from + kBegin.size(), end - from - kBegin.size());
    const std::size_t dot = std::min(name.find('.'), name.size());
    const Result<std::string> value =
        value_of(name.substr(0, dot), name.substr(std::min(dot + 1, name.size())), inputs);
    if (!value.is_ok()) return value.status();
    text.replace(from, end + 1 - from, *value);
    from += value->size();  // what came in is not looked at again
  }
  return Status::ok();
}

}  // namespace assay::pipeline
