// Shows that an image works: runs it with limits and without any network to the outside, waits for
// its health, asks it something, and removes what it made, whatever happens.
#ifndef ASSAY_WORKERS_BUILD_VALIDATION_H_
#define ASSAY_WORKERS_BUILD_VALIDATION_H_

#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "assay/build.h"
#include "workers/build/docker/docker_api.h"
#include "workers/build/failure.h"

namespace assay::image_build {

struct ProbeAnswer {
  unsigned int status = 0;
  std::string body;
};
// One HTTP request to the container. Errors: any; it may be tried again.
using Probe = std::function<Result<ProbeAnswer>(const std::string& method, const std::string& url,
                                                const std::string& content_type,
                                                const std::string& body, Duration timeout)>;

struct ValidationOutcome {
  std::optional<bool> healthy;
  std::optional<bool> inferred;
  std::string container_log;  // kept when it failed
  std::optional<Failure> failure;
};

struct ValidationSubject {
  std::string name;   // of the container and its network; unique
  std::string image;  // its id
  std::map<std::string, std::string> labels;
};

// Waits between two looks: false when nobody wants the rest.
using Pause = std::function<bool(Duration)>;

ValidationOutcome validate(DockerApi& engine, const Probe& probe, const Pause& pause,
                           const ValidationSubject& subject, const BuildValidation& wanted,
                           const std::stop_token& stop);

// What is wrong with an answer, or nothing. Pure.
std::string answer_problem(const BuildValidation& wanted, const ProbeAnswer& answer);

}  // namespace assay::image_build

#endif  // ASSAY_WORKERS_BUILD_VALIDATION_H_
