// An evaluation as a researcher submits it: the body of a task on the queue `eval`.
// docs/evaluations.md describes the four kinds for people.
#ifndef ASSAY_EVALUATION_H_
#define ASSAY_EVALUATION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "assay/ids.h"
#include "assay/status.h"

namespace assay {

enum class EvaluationKind : std::uint8_t {
  kScript = 0,    // a Python file: test_* functions, evaluate_model(model), or a plain program
  kNotebook = 1,  // a Jupyter notebook, run cell by cell
  kConfig = 2,    // a YAML evaluation of a model behind an endpoint
  kImage = 3,     // a container image that is an evaluation by itself
};
std::string_view to_string(EvaluationKind kind);

// A file that travels with the evaluation. `path` is relative, has no `..`, and is where the
// subject finds it.
struct EvaluationFile {
  std::string path;
  std::string content;
  friend bool operator==(const EvaluationFile&, const EvaluationFile&) = default;
};

// What the producer asks for. Times and counts are bounded by the worker's own limits.
struct Evaluation {
  EvaluationKind kind = EvaluationKind::kScript;
  std::string name;                    // for people: "safety_battery"
  std::string entry;                   // the path of the file to run, or the image's reference
  std::vector<EvaluationFile> files;   // the entry among them (none for an image)
  std::vector<std::string> arguments;  // for a plain script or an image

  Duration timeout{600'000};               // of the whole evaluation, wall clock
  Duration test_timeout{60'000};           // of one test
  std::optional<std::uint32_t> tests;      // how many there are, if known beforehand
  std::optional<double> seconds_per_test;  // an estimate; decides on pods and batches
  std::uint8_t danger = 0;                 // 0 to 10; over 8 each test gets a pod of its own
  bool isolated = false;                   // each test in a pod of its own whatever the danger
  std::uint32_t pods_max = 50;             // never more pods at once
  std::string profile = "small";           // a resource profile of the worker's configuration
  std::string endpoint;  // a model endpoint that the worker's configuration grants by name
  std::string model;     // the model's name at that endpoint; empty: its first
  std::optional<double> pass_threshold;  // mean score that the whole must reach to pass
  std::vector<std::string> outputs;      // files under the working directory to bring out
  // A Python file among the files that grades the outputs, in a pod of its own after the subject's
  // is gone; its tests are then the result. The subject sees neither it nor, when it stands in a
  // folder, anything of that folder. Empty: what the subject's tests say is the result.
  std::string grader = {};

  friend bool operator==(const Evaluation&, const Evaluation&) = default;
};

// Bytes for TaskSpec::body (a msgpack map, version inside; docs/evaluations.md) and back.
// Decoding errors: `invalid_evaluation` (fix_input) with the field, what was expected and what was
// found. Never throws, whatever the bytes; sizes and nesting are bounded.
std::string encode_evaluation(const Evaluation& evaluation);
Result<Evaluation> decode_evaluation(std::string_view bytes);

// Reads a .py, .ipynb, .yaml or .yml file with all that it refers to (data sets, own scorers), and
// checks it: a notebook is JSON of the right form, a YAML has known keys only. `# /// assay` blocks
// in a script (YAML in comments, after PEP 723) set the options above.
//
// Errors: `unreadable_file`, `invalid_evaluation` (fix_input); all mistakes of a file at once, each
// with its line.
Result<Evaluation> load_evaluation(const std::string& path);

}  // namespace assay

#endif  // ASSAY_EVALUATION_H_
