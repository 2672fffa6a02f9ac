#include "cli/up/docker_engine.h"

#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

namespace assay::cli {

bool has_docker_engine() {
  constexpr std::string_view kUnix = "unix://";
  std::string place = "/var/run/docker.sock";
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment
  if (const char* host = std::getenv("DOCKER_HOST")) {
    place = std::string_view(host).starts_with(kUnix) ? host + kUnix.size() : "";
  }
  std::error_code error;
  return !place.empty() && std::filesystem::is_socket(place, error);
}

}  // namespace assay::cli
