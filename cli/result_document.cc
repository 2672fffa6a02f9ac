#include "cli/result_document.h"

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

TestResult test_of(const Json& form) {
  return {text(form, "name"),      text(form, "outcome"), number(form, "score"),
          number(form, "seconds"), text(form, "reason"),  text(form, "detail")};
}

std::uint64_t whole(const Json& object, const char* name) {
  const Json* value = field(object, name);
  return value != nullptr && value->is_number_unsigned() ? value->get<std::uint64_t>() : 0;
}

// Calls `take` for each entry of a list, or does nothing when it is none.
template <typename Take>
void for_each(const Json* list, Take take) {
  if (list == nullptr || !list->is_array()) return;
  for (const Json& entry : *list) take(entry);
}

Spread spread_of(const std::string& name, const Json& form) {
  return {name, whole(form, "count"), number(form, "mean"), number(form, "min"),
          number(form, "max")};
}

void read_figures(const Json& form, ResultDocument& document) {
  if (const Json* counts = field(form, "counts"); counts != nullptr && counts->is_object()) {
    for (const auto& [outcome, count] : counts->items()) {
      if (outcome == "total" || !count.is_number_unsigned()) continue;
      document.counts[outcome] = count.get<std::uint64_t>();
    }
  }
  if (const Json* scores = field(form, "scores")) document.scores = spread_of("", *scores);
  if (const Json* metrics = field(form, "metrics"); metrics != nullptr && metrics->is_object()) {
    for (const auto& [name, spread] : metrics->items()) {
      document.metrics.push_back(spread_of(name, spread));
    }
  }
  if (const Json* usage = field(form, "usage")) {
    document.cpu_seconds = number(*usage, "cpu_seconds");
    document.memory_bytes_peak = number(*usage, "memory_bytes_peak");
    const Json* requests = field(*usage, "requests");
    if (requests != nullptr && requests->is_object()) {
      for (const auto& [endpoint, count] : requests->items()) {
        if (count.is_number_unsigned()) document.requests += count.get<std::uint64_t>();
      }
    }
  }
}

ResultDocument document_of(const Json& form) {
  ResultDocument document;
  document.name = text(form, "name");
  document.status = text(form, "status");
  document.reason = text(form, "reason");
  document.seconds = number(form, "seconds");
  for_each(field(form, "tests"), [&](const Json& test) {
    if (test.is_object()) document.tests.push_back(test_of(test));
  });
  read_figures(form, document);
  for_each(field(form, "pods"), [&](const Json&) { ++document.pods; });
  for_each(field(form, "outputs"), [&](const Json& output) {
    const Json* content = field(output, "content_base64");
    const bool is_text = content != nullptr && content->is_string();
    document.outputs.push_back(
        {text(output, "path"), whole(output, "pod"),
         is_text ? std::optional(content->get<std::string>()) : std::nullopt});
  });
  for_each(field(form, "notes"), [&](const Json& note) {
    if (note.is_string()) document.notes.push_back(note.get<std::string>());
  });
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
