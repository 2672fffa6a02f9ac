// One step of a pipeline, filled in, as a task. What kinds of steps there are is known here and
// nowhere else.
#ifndef ASSAY_SDK_PIPELINE_STEP_READER_H_
#define ASSAY_SDK_PIPELINE_STEP_READER_H_

#include <map>
#include <string>

#include "assay/evaluation.h"
#include "assay/status.h"
#include "assay/task.h"
#include "sdk/config/strict_yaml.h"

namespace assay::pipeline {

class StepReader {
 public:
  // `folder`: what paths in the file are relative to.
  explicit StepReader(std::string folder) : folder_(std::move(folder)) {}

  // Sets queue, body, labels and all that the step says of how it is run; identity and `after` are
  // the caller's. `name`: of the step, with its combination. Mistakes are added to the map's.
  void read(config::Map& step, const std::string& name, TaskSpec& task);

 private:
  void read_evaluation(config::Map& step, const std::string& name, TaskSpec& task);
  void read_build(config::Map& step, TaskSpec& task);
  void read_task(config::Map& step, TaskSpec& task);
  // The same file is loaded once, however many combinations there are.
  const Result<Evaluation>& loaded(const std::string& path);
  std::string beside(const std::string& path) const;

  std::string folder_;
  std::map<std::string, Result<Evaluation>> loaded_;
};

}  // namespace assay::pipeline

#endif  // ASSAY_SDK_PIPELINE_STEP_READER_H_
