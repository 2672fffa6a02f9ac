// JUnit XML as CI systems read it: a suite a run, a case a test. Source: the schema of
// https://github.com/testmoapp/junitxml, which collects what the tools agree on.
#include <cmath>

#include "workers/report/format/formats.h"
#include "workers/report/text/visible.h"

namespace assay::report {
namespace {

constexpr std::size_t kNameBytesMax = 500;
constexpr std::size_t kTextBytesMax = 16'000;
constexpr std::size_t kLogBytesMax = 64'000;

// What XML 1.0 cannot hold even escaped has been written out by visible().
std::string xml(const std::string& text, std::size_t bytes_max, Lines lines = Lines::kOne) {
  std::string out;
  for (const char c : visible(text, bytes_max, lines)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string number(double value) {
  return std::isfinite(value) ? std::to_string(value) : "0";
}

struct Counts {
  std::uint64_t tests = 0, failures = 0, errors = 0, skipped = 0;
};

Counts counts_of(const Run& run) {
  Counts out;
  for (const Test& test : run.tests) {
    ++out.tests;
    if (test.outcome == "failed") {
      ++out.failures;
    } else if (is_bad(test.outcome)) {
      ++out.errors;
    } else if (test.outcome == "not_run" || test.outcome == "unknown") {
      ++out.skipped;
    }
  }
  // A run that did not succeed without any test being at fault is a case of its own.
  if (run.verdict() == Verdict::kCancelled || run.verdict() == Verdict::kInfrastructure) {
    ++out.tests;
    ++out.skipped;
  } else if (run.verdict() == Verdict::kFailed && out.failures + out.errors == 0) {
    ++out.tests;
    ++out.errors;
  }
  return out;
}

std::string case_of(const Run& run, const Test& test) {
  std::string out = "    <testcase name=\"" + xml(test.name, kNameBytesMax) + "\" classname=\"" +
                    xml(run.title(), kNameBytesMax) + "\" time=\"" + number(test.seconds) + "\"";
  const std::string message = "message=\"" + xml(test.reason, kNameBytesMax) + "\"";
  const std::string text =
      xml(test.detail.empty() ? test.reason : test.detail, kTextBytesMax, Lines::kMany);
  if (test.outcome == "failed") {
    return out + ">\n      <failure type=\"failed\" " + message + ">" + text +
           "</failure>\n    </testcase>\n";
  }
  if (is_bad(test.outcome)) {
    return out + ">\n      <error type=\"" + test.outcome + "\" " + message + ">" + text +
           "</error>\n    </testcase>\n";
  }
  if (test.outcome == "not_run" || test.outcome == "unknown") {
    return out + ">\n      <skipped " + message + "/>\n    </testcase>\n";
  }
  return out + "/>\n";
}

std::string case_of_run(const Run& run, const Counts& counts) {
  const Verdict verdict = run.verdict();
  const std::string head = "    <testcase name=\"(run)\" classname=\"" +
                           xml(run.title(), kNameBytesMax) + "\" time=\"0\">\n";
  const std::string reason = xml(run.reason, kNameBytesMax);
  if (verdict == Verdict::kCancelled || verdict == Verdict::kInfrastructure) {
    return head + "      <skipped message=\"" + to_string(verdict) + (reason.empty() ? "" : ": ") +
           reason + "\"/>\n    </testcase>\n";
  }
  if (verdict == Verdict::kFailed && counts.tests > run.tests.size()) {
    return head + "      <error type=\"" + xml(run.status.empty() ? "failed" : run.status, 40) +
           "\" message=\"" + reason + "\"/>\n    </testcase>\n";
  }
  return "";
}

}  // namespace

std::string to_junit(const Report& report) {
  Counts all;
  std::string suites;
  for (const Run& run : report.runs) {
    const Counts counts = counts_of(run);
    all.tests += counts.tests;
    all.failures += counts.failures;
    all.errors += counts.errors;
    all.skipped += counts.skipped;
    suites += "  <testsuite name=\"" + xml(run.title(), kNameBytesMax) + "\" id=\"" +
              run.id.text() + "\" tests=\"" + std::to_string(counts.tests) + "\" failures=\"" +
              std::to_string(counts.failures) + "\" errors=\"" + std::to_string(counts.errors) +
              "\" skipped=\"" + std::to_string(counts.skipped) + "\" time=\"" +
              number(run.seconds) + "\">\n";
    for (const Test& test : run.tests) suites += case_of(run, test);
    suites += case_of_run(run, counts);
    if (!run.log.empty()) {
      suites += "    <system-out>" + xml(run.log, kLogBytesMax, Lines::kMany) + "</system-out>\n";
    }
    suites += "  </testsuite>\n";
  }
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"" +
         xml(report.title, kNameBytesMax) + "\" tests=\"" + std::to_string(all.tests) +
         "\" failures=\"" + std::to_string(all.failures) + "\" errors=\"" +
         std::to_string(all.errors) + "\" skipped=\"" + std::to_string(all.skipped) + "\" time=\"" +
         number(report.summary.run_seconds) + "\">\n" + suites + "</testsuites>\n";
}

}  // namespace assay::report
