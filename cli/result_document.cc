#include "cli/result_document.h"

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace assay::cli {
namespace {

using Json = nlohmann::ordered_json;

const Json* field(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string text(const Json& object, const char* name) {
  const Json* value = field(object, name);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

std::optional<double> number(const Json& object, const char* name) {
  const Json* value = field(object, name);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  return value->get<double>();
}

// A value of any form in few words: a whole number without ".0", others as JSON.
std::string words(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) {
    std::array<char, 32> digits{};
    std::snprintf(digits.data(), digits.size(), "%.4g", value.get<double>());
    return digits.data();
  }
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

TestResult test_of(const Json& form) {
  return {text(form, "name"),      text(form, "outcome"), number(form, "score"),
          number(form, "seconds"), text(form, "reason"),  text(form, "detail")};
}

std::vector<std::pair<std::string, std::string>> figures(const Json* object) {
  std::vector<std::pair<std::string, std::string>> result;
  if (object == nullptr || !object->is_object()) return result;
  for (const auto& [name, value] : object->items()) {
    if (!value.is_null()) result.emplace_back(name, words(value));
  }
  return result;
}

std::vector<std::string> list_of_words(const Json* list) {
  std::vector<std::string> result;
  if (list == nullptr || !list->is_array()) return result;
  for (const Json& entry : *list) {
    const std::string path = text(entry, "path");
    result.push_back(path.empty() ? words(entry) : path);
  }
  return result;
}

ResultDocument document_of(const Json& form) {
  ResultDocument document;
  document.name = text(form, "name");
  document.status = text(form, "status");
  document.reason = text(form, "reason");
  if (const Json* tests = field(form, "tests"); tests != nullptr && tests->is_array()) {
    for (const Json& test : *tests) {
      if (test.is_object()) document.tests.push_back(test_of(test));
    }
  }
  if (const Json* counts = field(form, "counts"); counts != nullptr && counts->is_object()) {
    for (const auto& [outcome, count] : counts->items()) {
      if (count.is_number_unsigned()) document.counts[outcome] = count.get<std::uint64_t>();
    }
  }
  document.scores = figures(field(form, "scores"));
  document.usage = figures(field(form, "usage"));
  document.notes = list_of_words(field(form, "notes"));
  document.outputs = list_of_words(field(form, "outputs"));
  if (const Json* pods = field(form, "pods"); pods != nullptr && pods->is_array()) {
    document.pods = pods->size();
  }
  const Json* log = field(form, "log");
  if (log != nullptr && log->is_string()) document.log = log->get<std::string>();
  return document;
}

}  // namespace

std::optional<ResultDocument> parse_result_document(std::string_view bytes) {
  const Json form = Json::parse(bytes.begin(), bytes.end(), nullptr, false);
  if (!form.is_object()) return std::nullopt;
  if (text(form, "status").empty() && field(form, "tests") == nullptr) return std::nullopt;
  try {
    return document_of(form);
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace assay::cli
