// A YAML evaluation turned into settings and the config document (README.md). Reads through a
// function, so that it works on a disk, where an evaluation is loaded, and on the files that
// travelled with it, where it is run.
#ifndef ASSAY_SDK_EVALUATION_CONFIG_DOCUMENT_H_
#define ASSAY_SDK_EVALUATION_CONFIG_DOCUMENT_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "assay/evaluation.h"
#include "assay/status.h"

namespace assay::config {
class Map;
}  // namespace assay::config

namespace assay::evaluation {

struct ConfigSource {
  // The content of a file, its path relative to the YAML's folder.
  // Errors: `unreadable_file` (not_found: there is none; else another code).
  std::function<Result<std::string>(const std::string& path)> read;
  // False: a suite that is not beside the file is left for the worker, which may have it.
  bool suites_must_be_there = false;
  std::vector<std::string> known_suites;  // for the error's text
};

struct ConfigEvaluation {
  Evaluation settings;            // all but kind, entry and files
  std::uint32_t concurrency = 1;  // tests at once in a pod
  std::int64_t seed = 0;
  std::string document;               // JSON; empty when a suite was left for the worker
  std::vector<EvaluationFile> files;  // what it refers to, each once
};

// `path`: the YAML's name, for messages and as the default name. Errors: `invalid_evaluation`
// (fix_input), every mistake on a line of its own, with the file and the line it is in.
Result<ConfigEvaluation> read_config_evaluation(const std::string& yaml, const std::string& path,
                                                const ConfigSource& source);

// The settings that every kind has, from a map that may hold other keys too.
void read_settings(config::Map& map, Evaluation& settings);

// The same, from a block of YAML in a script or under `evaluation`. For the loader. Lines are
// counted from the first of `yaml`.
Status read_settings_block(const std::string& yaml, const std::string& file, Evaluation& settings,
                           std::vector<std::string>& files);

}  // namespace assay::evaluation

#endif  // ASSAY_SDK_EVALUATION_CONFIG_DOCUMENT_H_
