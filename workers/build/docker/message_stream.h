// The stream of JSON objects that an engine answers with while it works. Pure.
#ifndef ASSAY_WORKERS_BUILD_DOCKER_MESSAGE_STREAM_H_
#define ASSAY_WORKERS_BUILD_DOCKER_MESSAGE_STREAM_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "workers/build/docker/docker_api.h"

namespace assay::image_build {

class MessageStream {
 public:
  explicit MessageStream(OnEngineMessage take) : take_(std::move(take)) {}

  // Bytes as they come, cut anywhere. A line that is no JSON object is passed on as text; one of
  // more than 1 MiB is cut.
  void add(std::string_view bytes);
  // What stands after the last newline.
  void finish();

 private:
  void line();

  OnEngineMessage take_;
  std::string line_;
};

// "Step 4/9 : RUN make": the 4, the 9 and the rest; nothing for any other line.
struct BuildStep {
  std::uint64_t number = 0;
  std::uint64_t total = 0;
  std::string instruction;
};
std::optional<BuildStep> parse_step(std::string_view line);

// A container's log as the engine frames it, without the frames; `tty` output has none.
std::string unframed_log(std::string_view bytes);

}  // namespace assay::image_build

#endif  // ASSAY_WORKERS_BUILD_DOCKER_MESSAGE_STREAM_H_
