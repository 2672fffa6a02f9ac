// Every setting of assay-build.
#ifndef ASSAY_WORKERS_BUILD_PROGRAM_SETTINGS_H_
#define ASSAY_WORKERS_BUILD_PROGRAM_SETTINGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "sdk/config/program_options.h"
#include "workers/build/settings.h"

namespace assay::image_build {

struct ProgramSettings {
  std::string broker = "tcp://127.0.0.1:5556";
  std::string name;
  std::string key;  // files of keys; empty: none
  std::string server_key;
  std::string data_folder = "assay-build-data";
  std::string docker_host = "unix:///var/run/docker.sock";  // DOCKER_HOST, where that is set
  std::string artifacts;                                    // empty: no store
  std::uint32_t slots = 2;
  Duration drain_timeout{600'000};
  BuildSettings build;
};

// Names each setting and where it goes; complete() runs once all are there.
void describe(ProgramSettings& settings, config::Options& options);

}  // namespace assay::image_build

#endif  // ASSAY_WORKERS_BUILD_PROGRAM_SETTINGS_H_
