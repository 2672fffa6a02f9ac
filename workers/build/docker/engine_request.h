// What is sent to an engine, as text. Pure.
#ifndef ASSAY_WORKERS_BUILD_DOCKER_ENGINE_REQUEST_H_
#define ASSAY_WORKERS_BUILD_DOCKER_ENGINE_REQUEST_H_

#include <string>
#include <string_view>

#include "workers/build/docker/docker_api.h"

namespace assay::image_build {

// With everything but letters, digits and "-._~" as %XX.
std::string url_encoded(std::string_view text);
// {"label":["a=b"]}, encoded for a URL.
std::string label_filter(const std::string& label);
// The path of POST /build with all its parameters.
std::string build_path(const ImageBuild& build);
// X-Registry-Auth and X-Registry-Config.
std::string registry_auth(const RegistryCredential& credential);
std::string registry_config(const RegistryCredentials& credentials);
std::string container_json(const ContainerSpec& spec);
std::string network_json(const std::string& name, const std::map<std::string, std::string>& labels);

}  // namespace assay::image_build

#endif  // ASSAY_WORKERS_BUILD_DOCKER_ENGINE_REQUEST_H_
