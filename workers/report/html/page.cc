// The page as a whole. What it may do is said in its policy: its own style and script, known by
// their hashes, and nothing else; it can't reach any other place.
#include "sdk/artifacts/sha256.h"
#include "sdk/wire/base64.h"
#include "workers/report/embedded.h"
#include "workers/report/format/formats.h"
#include "workers/report/html/escape.h"
#include "workers/report/html/sections.h"

namespace assay::report {
namespace {

std::string source_of(const std::string& text) {
  const ArtifactHash hash = artifacts::Sha256::of(text);
  return "'sha256-" +
         wire::encode_base64(
             {reinterpret_cast<const char*>(hash.bytes.data()), hash.bytes.size()}) +
         "'";
}

std::string contents(const std::string& body) {
  std::string out;
  const auto link = [&](const char* id, const char* word) {
    if (body.find("<section id=\"" + std::string(id) + "\"") == std::string::npos) return;
    out += "<a href=\"#" + std::string(id) + "\">" + word + "</a>";
  };
  link("infrastructure", "Infrastructure");
  link("regression", "Regression");
  link("failures", "Failures");
  link("comparison", "Comparison");
  link("distributions", "Distributions");
  link("runs", "Runs");
  link("tests", "Tests");
  link("times", "Times");
  return "<nav aria-label=\"Contents\">" + out + "</nav>";
}

}  // namespace

std::string to_html(const Report& report) {
  const auto assets = embedded_page();
  const std::string& style = assets.at("style");
  const std::string& script = assets.at("script");
  const std::string body = infrastructure_section(report) + regression_section(report) +
                           failures_section(report) + comparison_section(report) +
                           distribution_section(report) + runs_section(report) +
                           tests_section(report) + sla_section(report);
  std::string out =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src " +
      source_of(style) + "; script-src " + source_of(script) +
      "; base-uri 'none'; form-action 'none'\"><meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" "
      "content=\"light dark\"><meta name=\"referrer\" content=\"no-referrer\"><title>" +
      html(report.title, 200) + "</title><style>" + style + "</style></head><body><main>";
  out += head_section(report) + contents(body) + body;
  out +=
      "<footer>Made by assay. Names, reasons, details and logs are what the evaluated code said."
      "</footer></main><script type=\"application/json\" id=\"data\">";
  out += table_data(report);
  return out + "</script><script>" + script + "</script></body></html>\n";
}

}  // namespace assay::report
