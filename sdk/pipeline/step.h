// One step of a pipeline as it stands in the file, before anything is filled in.
#ifndef ASSAY_SDK_PIPELINE_STEP_H_
#define ASSAY_SDK_PIPELINE_STEP_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "assay/status.h"
#include "sdk/config/strict_yaml.h"
#include "sdk/config/yaml_tree.h"
#include "sdk/pipeline/template_text.h"

namespace assay::pipeline {

// One choice of a value for each key of a matrix, in the file's order.
using Combination = std::vector<std::pair<std::string, std::string>>;

struct Step {
  std::string name;
  int line = 0;
  const config::YamlNode* node = nullptr;  // a map
  std::vector<Combination> combinations;   // of its matrix; one, empty, without
  std::vector<std::string> after;          // names of steps: said, and referred to
};

// "safety[profile=small]"; the step's name alone without a matrix.
std::string name_of(const Step& step, const Combination& combination);

// A matrix as all its combinations, the last key changing fastest. Mistakes are added.
std::vector<Combination> read_matrix(const config::YamlNode& matrix, const Lookup& variables,
                                     config::Mistakes& mistakes);

// The names X of all "${steps.X.path}" in a tree.
std::vector<std::string> steps_referred_to(const config::YamlNode& node);

// Fills in every text of a tree. Mistakes are added, with the line of the text.
void fill_in(config::YamlNode& node, const Lookup& lookup, config::Mistakes& mistakes);

// The steps with each behind those that it comes after. A circle is a mistake, and the result
// empty.
std::vector<const Step*> in_order(const std::vector<Step>& steps, config::Mistakes& mistakes);

}  // namespace assay::pipeline

#endif  // ASSAY_SDK_PIPELINE_STEP_H_
