#include "workers/report/run.h"

#include <set>

namespace assay::report {

bool is_bad(const std::string& outcome) {
  static const std::set<std::string> kBad{"failed", "error", "crashed", "timeout", "limit"};
  return kBad.contains(outcome);
}

const char* to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPassed:
      return "passed";
    case Verdict::kFailed:
      return "failed";
    case Verdict::kCancelled:
      return "cancelled";
    case Verdict::kInfrastructure:
      return "infrastructure";
  }
  return "failed";
}

Verdict Run::verdict() const {
  if (state == TaskState::kCancelled || status == "cancelled") return Verdict::kCancelled;
  if (state == TaskState::kDead || cause == Cause::kInfrastructure) {
    return Verdict::kInfrastructure;
  }
  // A document that says "failed" is never a success.
  const bool good = state == TaskState::kSucceeded && (!has_document || status == "passed");
  return good ? Verdict::kPassed : Verdict::kFailed;
}

std::string Run::title() const {
  if (!name.empty()) return name;
  const std::string text = id.text();
  return (queue.empty() ? "task" : queue) + " " + text.substr(text.size() - 6);
}

std::string Run::base_name() const {
  const std::size_t bracket = name.find('[');
  return bracket == std::string::npos || name.back() != ']' ? name : name.substr(0, bracket);
}

std::map<std::string, std::string> Run::settings() const {
  std::map<std::string, std::string> out;
  static const std::set<std::string> kNotSettings{"run", "step", "pipeline", "name"};
  for (const auto& [key, value] : labels) {
    if (!kNotSettings.contains(key)) out[key] = value;
  }
  if (!model.empty()) out["model"] = model;
  if (!executor.empty()) out["executor"] = executor;
  const std::size_t bracket = name.find('[');
  if (bracket == std::string::npos || name.back() != ']') return out;
  std::string rest = name.substr(bracket + 1, name.size() - bracket - 2);
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    const std::string pair = rest.substr(0, comma);
    const std::size_t equals = pair.find('=');
    if (equals != std::string::npos) out[pair.substr(0, equals)] = pair.substr(equals + 1);
    rest = comma == std::string::npos ? "" : rest.substr(comma + 1);
  }
  return out;
}

}  // namespace assay::report
