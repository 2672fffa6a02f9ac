// make_report FOLDER BODY.json DOCUMENT.json...: what assay-report writes for these results,
// without a broker. A document may have a key "state" beside its own: how its task ended.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "workers/report/reporter.h"

namespace {

std::string read(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class NoContext : public assay::TaskContext {
 public:
  void progress(std::uint64_t, std::uint64_t, std::string) override {}
  void log(std::string) override {}
  void safety(std::string) override {}
  bool cancelled() const override { return false; }
  bool wait_cancelled(assay::Duration) override { return false; }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: make_report FOLDER BODY.json DOCUMENT.json...\n");
    return 2;
  }
  assay::TaskAssignment task;
  task.id = *assay::TaskId::parse("01JXREPRT00000000000000000");
  task.body = read(argv[2]);
  for (int i = 3; i < argc; ++i) {
    assay::TaskInput input;
    input.id = assay::TaskId::make(assay::Time(assay::Duration(i)));
    input.result = read(argv[i]);
    const bool dead = input.result.find("\"state\": \"dead\"") != std::string::npos;
    const bool passed = input.result.find("\"status\": \"passed\"") != std::string::npos;
    input.state = dead     ? assay::TaskState::kDead
                  : passed ? assay::TaskState::kSucceeded
                           : assay::TaskState::kFailed;
    task.inputs.push_back(std::move(input));
  }
  assay::report::ReporterSettings settings;
  settings.folder = argv[1];
  settings.rates.cpu_hour = 0.04;
  settings.rates.request = 0.002;
  NoContext context;
  const auto outcome = assay::report::Reporter(settings, nullptr).run(task, context);
  std::printf("%s\n", outcome.result.c_str());
  if (!outcome.reason.empty()) std::fprintf(stderr, "%s\n", outcome.reason.c_str());
  return outcome.outcome == assay::Outcome::kSucceeded ? 0 : 1;
}
