// What a build worker was configured to do and to allow.
#ifndef ASSAY_WORKERS_BUILD_SETTINGS_H_
#define ASSAY_WORKERS_BUILD_SETTINGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "assay/ids.h"
#include "sdk/build/context_folder.h"
#include "workers/build/registry/registry_access.h"
#include "workers/build/source/archive.h"
#include "workers/build/source/git.h"

namespace assay::image_build {

struct BuildSettings {
  std::string folder;    // for sources, while a build runs
  std::string instance;  // told apart by it: what this worker made, over its restarts
  GitSettings git;
  RegistrySettings registries;
  build::ContextLimits context;
  ArchiveLimits archive;
  std::uint64_t memory_bytes_max = 8ULL << 30;  // of a build and of a container that is tested
  double cpus_max = 8;
  Duration timeout_max{7'200'000};
  Duration patience{600'000};             // with a registry or git server that does not answer
  std::vector<std::string> scan_command;  // the image's reference is added; empty: no scan
  Duration scan_timeout{600'000};
};

}  // namespace assay::image_build

#endif  // ASSAY_WORKERS_BUILD_SETTINGS_H_
