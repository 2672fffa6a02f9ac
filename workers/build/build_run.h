// One build while it runs: the steps that act. builder.cc has the loop around them.
#ifndef ASSAY_WORKERS_BUILD_BUILD_RUN_H_
#define ASSAY_WORKERS_BUILD_BUILD_RUN_H_

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "workers/build/build_log.h"
#include "workers/build/builder.h"
#include "workers/build/plan/next_step.h"
#include "workers/build/record.h"

namespace assay::image_build {

struct RunPlace {
  const BuilderParts& parts;
  const BuildSettings& settings;
  TagLocks& tag_locks;
  const TaskAssignment& task;
  TaskContext& context;
  BuildLog& log;
  std::string folder;
  std::stop_token stop;
};

// Thread: one.
class BuildRun {
 public:
  BuildRun(RunPlace place, const BuildRequest& request);

  // Carries one step out and takes note of it. A failure leaves things so that the same step can be
  // tried again.
  std::optional<Failure> act(Step step, Observed& observed);

  Wanted wanted() const;
  BuildRecord& record() { return record_; }

 private:
  std::optional<Failure> clear();
  std::optional<Failure> fetch();
  std::optional<Failure> look_up(Observed& observed);
  std::optional<Failure> build_one(const std::string& platform);
  std::optional<Failure> push();
  std::optional<Failure> push_image(const PlatformImage& image, const ImageReference& to,
                                    std::string& digest);
  std::optional<Failure> confirm();
  std::optional<Failure> scan();
  std::optional<Failure> validate_image();

  void pull_cache();
  void on_build_message(const EngineMessage& message);
  void on_layer_message(const EngineMessage& message, const char* stage);
  Failure build_failure(const Status& status, const std::string& platform) const;
  ImageReference reference(std::size_t tag) const;
  bool many() const { return platforms_.size() > 1; }

  RunPlace place_;
  const BuildRequest& request_;
  std::vector<std::string> platforms_;  // "" is the engine's own
  std::string engine_platform_;
  std::optional<Source> source_;
  std::string key_;
  BuildRecord record_;
  std::uint64_t step_ = 0;
  std::string instruction_;
  std::map<std::string, std::string> layers_;
};

}  // namespace assay::image_build

#endif  // ASSAY_WORKERS_BUILD_BUILD_RUN_H_
