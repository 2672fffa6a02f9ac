#include "workers/build/scan.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "sdk/log/printable.h"
#include "workers/build/command.h"

namespace assay::image_build {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kFindingsMax = 500;  // kept one by one; the rest is counted
constexpr std::size_t kOutputBytesMax = 16U << 20;
constexpr std::size_t kKeptBytesMax = 4096;
constexpr std::array<std::string_view, 4> kSeverities{"low", "medium", "high", "critical"};

std::string text(const Json& object, const char* name) {
  if (!object.is_object()) return {};
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return {};
  return found->get<std::string>().substr(0, kKeptBytesMax);
}

const Json& list(const Json& object, const char* name) {
  static const Json kNone = Json::array();
  if (!object.is_object()) return kNone;
  const auto found = object.find(name);
  return found != object.end() && found->is_array() ? *found : kNone;
}

void add(ScanResult& out, Finding finding) {
  for (char& c : finding.severity) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (finding.severity.empty()) finding.severity = "unknown";
  ++out.counts[finding.severity];
  if (out.findings.size() < kFindingsMax) out.findings.push_back(std::move(finding));
}

int rank(std::string_view severity) {
  const auto found = std::find(kSeverities.begin(), kSeverities.end(), severity);
  return found == kSeverities.end() ? -1 : static_cast<int>(found - kSeverities.begin());
}

}  // namespace

ScanResult parse_scan(std::string_view output) {
  ScanResult out;
  const Json json = Json::parse(output, nullptr, false);
  const bool ours = json.is_object() && json.contains("findings");
  const bool trivy = json.is_object() && json.contains("Results");
  for (const Json& one : list(json, "findings")) {
    add(out, {text(one, "id"), text(one, "severity"), text(one, "package"), text(one, "title")});
  }
  for (const Json& result : list(json, "Results")) {
    for (const Json& one : list(result, "Vulnerabilities")) {
      add(out, {text(one, "VulnerabilityID"), text(one, "Severity"), text(one, "PkgName"),
                text(one, "Title")});
    }
  }
  if (!ours && !trivy) out.output = output.substr(0, kKeptBytesMax);
  return out;
}

bool is_at_least(std::string_view severity, std::string_view threshold) {
  return rank(threshold) >= 0 && rank(severity) >= rank(threshold);
}

std::string scan_refusal(const ScanResult& scan, const std::string& threshold) {
  if (threshold.empty()) return {};
  if (!scan.output.empty()) {
    return "the scanner's output was not understood, and the build asks to fail from " + threshold;
  }
  std::uint64_t count = 0;
  for (const auto& [severity, number] : scan.counts) {
    if (is_at_least(severity, threshold)) count += number;
  }
  if (count == 0) return {};
  return "the scanner found " + std::to_string(count) + " of severity " + threshold + " or above";
}

Result<ScanResult> scan_image(const std::vector<std::string>& command, const std::string& image,
                              Duration timeout, const std::stop_token& stop) {
  Command scanner;
  scanner.arguments = command;
  scanner.arguments.push_back(image);
  scanner.timeout = timeout;
  scanner.output_bytes_max = kOutputBytesMax;
  const Result<CommandEnd> end = run_command(scanner, stop);
  if (!end.is_ok()) return end.status();
  if (end->exit_code != 0) {
    return retry_later("scan_failed", "the scanner ended with " + std::to_string(end->exit_code) +
                                          ": " + log::printable(end->errors.substr(0, 500)));
  }
  return parse_scan(end->output);
}

}  // namespace assay::image_build
