// A report task from its body to its outcome: gathers, works out, writes the files, keeps them.
#ifndef ASSAY_WORKERS_REPORT_REPORTER_H_
#define ASSAY_WORKERS_REPORT_REPORTER_H_

#include <functional>
#include <memory>
#include <string>

#include "assay/artifacts.h"
#include "assay/worker.h"
#include "workers/report/report.h"
#include "workers/report/task_source.h"

namespace assay::report {

struct ReporterSettings {
  std::string folder;  // reports are written to FOLDER/TASK-ID/
  Rates rates;
  // A source for one task; empty, or null from it: inputs only.
  std::function<std::unique_ptr<TaskSource>()> source;
  // Takes an event for a webhook, durably; empty: there are none. Errors: `unknown_webhook`
  // (fix_input).
  std::function<Status(const std::string& webhook, const std::string& event_id,
                       const std::string& body)>
      post;
};

// Thread: run() from any number at once.
class Reporter {
 public:
  // `artifacts` may be null; else the files are kept there too.
  Reporter(ReporterSettings settings, ArtifactStore* artifacts)
      : settings_(std::move(settings)), artifacts_(artifacts) {}

  // Its result: the report's summary (docs/reports.md) with the files.
  TaskOutcome run(const TaskAssignment& task, TaskContext& context) const;

 private:
  Status post_all(const Request& request, const TaskId& task, const std::string& result) const;

  ReporterSettings settings_;
  ArtifactStore* artifacts_;
};

}  // namespace assay::report

#endif  // ASSAY_WORKERS_REPORT_REPORTER_H_
