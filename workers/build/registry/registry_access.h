// How each registry may be reached: what the worker's configuration says of a host.
#ifndef ASSAY_WORKERS_BUILD_REGISTRY_REGISTRY_ACCESS_H_
#define ASSAY_WORKERS_BUILD_REGISTRY_REGISTRY_ACCESS_H_

#include <map>
#include <string>
#include <vector>

#include "assay/status.h"
#include "workers/build/docker/docker_api.h"

namespace assay::image_build {

struct RegistryAccess {
  std::string username;
  std::string password_file;  // read anew each time, so that it may be changed
  bool plain_http = false;
  std::string ca_file;  // PEM; empty: the system's authorities
};

struct RegistrySettings {
  std::map<std::string, RegistryAccess> access;  // by host, with its port
  std::vector<std::string> push_to;              // hosts, or host/path in front; empty: any
};

// Reads the host's password. Nothing configured is an empty credential.
// Errors: `registry_refused` (fix_input) when its file can't be read.
Result<RegistryCredential> credential_for(const RegistrySettings& settings,
                                          const std::string& host);
// Of all hosts, for base images; those whose file can't be read are left out.
RegistryCredentials all_credentials(const RegistrySettings& settings);
bool may_push(const RegistrySettings& settings, const std::string& name);
// Loopback hosts speak plain HTTP, as the engine holds it too.
bool speaks_plain_http(const RegistrySettings& settings, const std::string& host);

}  // namespace assay::image_build

#endif  // ASSAY_WORKERS_BUILD_REGISTRY_REGISTRY_ACCESS_H_
