// A pipeline: a YAML file of steps that becomes one batch of tasks, submitted whole or not at all.
// docs/pipelines.md describes the file for people.
#ifndef ASSAY_PIPELINE_H_
#define ASSAY_PIPELINE_H_

#include <map>
#include <string>
#include <vector>

#include "assay/ids.h"
#include "assay/status.h"
#include "assay/task.h"

namespace assay {

struct PipelineOptions {
  // The identity of this run. The ids of its tasks follow from it and from the names of the steps,
  // so a run that is submitted again is the same run.
  TaskId run;
  OwnerName owner;                               // where the file names none
  std::map<std::string, std::string> variables;  // instead of the file's
  std::map<std::string, std::string> labels;     // added to every task
};

// One task of a pipeline. A step with a matrix becomes several, "safety[profile=small]".
struct PipelineTask {
  std::string name;
  TaskSpec task;
};

struct Pipeline {
  std::string name;
  std::vector<PipelineTask> tasks;  // each behind those that it comes after
};

// Reads a pipeline with all the files that it refers to (relative to its folder), and checks it.
//
// Errors: `unreadable_file` (fix_input: the pipeline itself); `invalid_pipeline` (fix_input): every
// mistake on a line of its own, with the file and the line it is in: unknown keys, steps that wait
// for each other in a circle, references to what does not exist, evaluations that are none.
Result<Pipeline> load_pipeline(const std::string& path, const PipelineOptions& options);

}  // namespace assay

#endif  // ASSAY_PIPELINE_H_
