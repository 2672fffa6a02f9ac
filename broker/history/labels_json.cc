#include "broker/history/labels_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace assay::history {
namespace {

bool is_ascii(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

Labels readable_labels(const Labels& labels) {
  const bool plain = std::all_of(labels.begin(), labels.end(), [](const auto& label) {
    return is_ascii(label.first) && is_ascii(label.second);
  });
  return plain ? labels : labels_from_json(labels_to_json(labels));
}

std::string labels_to_json(const Labels& labels) {
  return nlohmann::json(labels).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Labels labels_from_json(std::string_view json) {
  Labels labels;
  const auto document = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!document.is_object()) return labels;
  for (const auto& [name, value] : document.items()) {
    if (value.is_string()) labels.emplace(name, value.get<std::string>());
  }
  return labels;
}

}  // namespace assay::history
