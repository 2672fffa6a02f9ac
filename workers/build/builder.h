// Takes a build from task to outcome: step by step as plan/next_step.h says, telling progress, and
// ending with a result document. Whatever happens, no container, network or folder is left.
#ifndef ASSAY_WORKERS_BUILD_BUILDER_H_
#define ASSAY_WORKERS_BUILD_BUILDER_H_

#include <functional>
#include <string>

#include "assay/worker.h"
#include "workers/build/docker/docker_api.h"
#include "workers/build/registry/registry_api.h"
#include "workers/build/settings.h"
#include "workers/build/source/source.h"
#include "workers/build/tag_locks.h"
#include "workers/build/validation.h"

namespace assay::image_build {

// Keeps a build's log; the artifact's hash, or nothing when there is no store.
using KeepLog = std::function<std::string(const TaskId& task, const std::string& path)>;

struct BuilderParts {
  DockerApi& engine;
  RegistryApi& registry;
  Probe probe;
  ReadArtifact read_artifact;  // may be empty
  KeepLog keep_log;            // may be empty
};

// Thread: run() from any number of threads at once.
class Builder {
 public:
  Builder(BuilderParts parts, BuildSettings settings)
      : parts_(std::move(parts)), settings_(std::move(settings)) {}

  TaskOutcome run(const TaskAssignment& task, TaskContext& context);

  // Removes what this worker's earlier life left: containers, networks, folders. Errors: those of
  // the engine.
  Status clear_leftovers(const std::stop_token& stop);

 private:
  BuilderParts parts_;
  BuildSettings settings_;
  TagLocks tag_locks_;
};

// Removes the engine's containers and networks that bear `label`. Errors: those of the engine.
Status remove_labelled(DockerApi& engine, const std::string& label, const std::stop_token& stop);

}  // namespace assay::image_build

#endif  // ASSAY_WORKERS_BUILD_BUILDER_H_
