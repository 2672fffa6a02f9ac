#include "cli/build_result.h"

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/task_board.h"
#include "cli/text/printable.h"

namespace assay::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kTextShownMax = 4000;

std::string text(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::uint64_t whole(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::optional<bool> truth(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_boolean()) return std::nullopt;
  return found->get<bool>();
}

BuildResult result_of(const Json& form) {
  BuildResult out;
  out.status = text(form, "status");
  out.stage = text(form, "stage");
  out.reason = text(form, "reason");
  out.digest = text(form, "digest");
  out.size_bytes = whole(form, "size_bytes");
  out.steps = whole(form, "steps");
  out.steps_cached = whole(form, "steps_cached");
  out.reused = truth(form, "reused").value_or(false);
  out.healthy = truth(form, "health_check_passed");
  out.inferred = truth(form, "inference_test_passed");
  if (form.contains("source") && form["source"].is_object()) {
    out.commit = text(form["source"], "commit");
  }
  if (form.contains("images") && form["images"].is_array()) {
    for (const Json& image : form["images"]) {
      if (!image.is_object()) continue;
      const std::string pinned = text(image, "pinned");
      if (!pinned.empty()) out.pinned.push_back(pinned);
    }
  }
  if (form.contains("seconds") && form["seconds"].is_object()) {
    for (const auto& [stage, seconds] : form["seconds"].items()) {
      if (seconds.is_number()) out.seconds[stage] = seconds.get<double>();
    }
  }
  const auto scan = form.find("scan");
  if (scan != form.end() && scan->is_object() && scan->contains("counts")) {
    for (const auto& [severity, count] : (*scan)["counts"].items()) {
      if (count.is_number_unsigned())
        out.findings.emplace_back(severity, count.get<std::uint64_t>());
    }
  }
  return out;
}

std::string megabytes(std::uint64_t bytes) {
  std::array<char, 32> text{};
  (void)std::snprintf(text.data(), text.size(), "%.1f MB", static_cast<double>(bytes) / 1e6);
  return text.data();
}

std::string seconds_text(double seconds) {
  std::array<char, 32> text{};
  (void)std::snprintf(text.data(), text.size(), "%.1fs", seconds);
  return text.data();
}

std::string passed(const std::optional<bool>& value) {
  return *value ? "passed" : "failed";
}

}  // namespace

std::optional<BuildResult> parse_build_result(std::string_view bytes) {
  const Json form = Json::parse(bytes.begin(), bytes.end(), nullptr, false);
  if (!form.is_object() || text(form, "kind") != "build") return std::nullopt;
  try {
    return result_of(form);
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

std::vector<Line> build_lines(const TaskResult& task, const BuildResult& result) {
  const bool good = task.state == TaskState::kSucceeded && result.status == "completed";
  std::vector<Line> lines;
  Line verdict{
      {printable(result.status.empty() ? std::string(to_string(task.state)) : result.status, 100),
       good ? Ink::kGreen : ink_of(task.state)}};
  if (!good) verdict.emplace_back("  while " + printable(result.stage, 100));
  if (result.reused) verdict.emplace_back("  the same was built before");
  lines.push_back(std::move(verdict));
  const std::string reason = printable(result.reason, kTextShownMax);
  if (!reason.empty()) lines.push_back({{"  " + reason}});
  for (const std::string& image : result.pinned) lines.push_back({{"  " + printable(image, 500)}});
  if (!result.commit.empty()) lines.push_back({{"  commit  " + printable(result.commit, 100)}});
  if (result.steps > 0) {
    lines.push_back({{"  steps   " + std::to_string(result.steps) + ", " +
                      std::to_string(result.steps_cached) + " from the cache"}});
  }
  if (result.size_bytes > 0) lines.push_back({{"  size    " + megabytes(result.size_bytes)}});
  if (result.healthy) lines.push_back({{"  health  " + passed(result.healthy)}});
  if (result.inferred) lines.push_back({{"  answer  " + passed(result.inferred)}});
  if (!result.findings.empty()) {
    std::string found;
    for (const auto& [severity, count] : result.findings) {
      found += (found.empty() ? "" : ", ") + std::to_string(count) + " " + printable(severity, 30);
    }
    lines.push_back({{"  scan    " + found}});
  }
  std::string times;
  for (const char* const stage : {"fetch", "build", "push", "scan", "validate"}) {
    const auto found = result.seconds.find(stage);
    if (found == result.seconds.end()) continue;
    times += (times.empty() ? "" : ", ") + std::string(stage) + " " + seconds_text(found->second);
  }
  if (!times.empty()) lines.push_back({{"  time    " + times, Ink::kDim}});
  return lines;
}

}  // namespace assay::cli
