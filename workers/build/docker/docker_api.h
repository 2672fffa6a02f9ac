// What a build asks of a Docker engine, and nothing more. engine_client.h does it for real; a test
// writes its own.
#ifndef ASSAY_WORKERS_BUILD_DOCKER_DOCKER_API_H_
#define ASSAY_WORKERS_BUILD_DOCKER_DOCKER_API_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "assay/status.h"

namespace assay::image_build {

// Labels by which what a build made is found again, by whoever comes after a worker that was
// killed.
inline constexpr const char* kTaskLabel = "io.assay.build.task";
inline constexpr const char* kWorkerLabel = "io.assay.build.worker";
inline constexpr const char* kKeyLabel = "io.assay.build.key";

struct EngineInfo {
  std::string version;
  std::string api_version;
  std::string platform;  // "linux/amd64"
};

struct RegistryCredential {
  std::string username;
  std::string password;
};
using RegistryCredentials = std::map<std::string, RegistryCredential>;  // by host

// The next bytes of a request's body, at most `size`; 0 at its end.
using BodyBytes = std::function<Result<std::size_t>(char* to, std::size_t size)>;

struct ImageBuild {
  std::string dockerfile;
  std::map<std::string, std::string> arguments;
  std::map<std::string, std::string> labels;
  std::string target;
  std::string platform;  // empty: the engine's own
  std::vector<std::string> cache_from;
  bool cache = true;
  bool pull = false;
  bool network = true;
  std::uint64_t memory_bytes = 0;  // 0: no limit, as in all below
  double cpus = 0;
  RegistryCredentials credentials;  // for the base images
  BodyBytes context;
};

// One thing that the engine says while it builds, pushes or pulls.
struct EngineMessage {
  std::string text;      // a line of output, or a state ("Pushed")
  std::string layer;     // that the state is of; empty for the build's own output
  std::string image_id;  // of what was built
  std::string digest;    // of what was pushed
  std::string error;
  std::int64_t error_code = 0;  // the exit status of the step that failed
};
using OnEngineMessage = std::function<void(const EngineMessage&)>;

struct ImageInfo {
  std::string id;
  std::string platform;
  std::vector<std::string> tags;     // "registry.example/a:v1"
  std::vector<std::string> digests;  // "registry.example/a@sha256:..."
  std::uint64_t bytes = 0;
  std::int64_t created_seconds = 0;
};

struct ContainerSpec {
  std::string name;
  std::string image;
  std::vector<std::string> command;
  std::map<std::string, std::string> environment;
  std::map<std::string, std::string> labels;
  std::string network;  // an id, or "none"
  std::uint64_t memory_bytes = 0;
  double cpus = 0;
  std::int64_t processes_max = 512;
};

struct ContainerState {
  bool running = false;
  int exit_code = 0;
  bool out_of_memory = false;
  std::string error;    // why it could not be started
  std::string address;  // in its network; empty when it has none
};

// Errors of every call: `engine_unreachable` (retry_later), `engine_refused` (fix_input: the
// engine's own words), `engine_failed` (retry_later: a fault of the engine), `not_found`
// (not_found), `stopped` (retry_call). Thread: any.
class DockerApi {
 public:
  virtual ~DockerApi() = default;

  virtual Result<EngineInfo> info(const std::stop_token& stop) = 0;

  // The id of the image. A step that fails is `build_failed` (fix_input), with the engine's words.
  // Ending the call early ends the engine's work and its container.
  virtual Result<std::string> build(const ImageBuild& build, const OnEngineMessage& on_message,
                                    const std::stop_token& stop) = 0;
  virtual Result<ImageInfo> inspect_image(const std::string& image,
                                          const std::stop_token& stop) = 0;
  virtual Result<std::vector<ImageInfo>> images_with(const std::string& label,
                                                     const std::stop_token& stop) = 0;
  virtual Status tag(const std::string& image, const std::string& name, const std::string& tag,
                     const std::stop_token& stop) = 0;
  // The digest that the registry told the engine. `push_refused` (fix_input) when it may not.
  virtual Result<std::string> push(const std::string& name, const std::string& tag,
                                   const RegistryCredential& credential,
                                   const OnEngineMessage& on_message,
                                   const std::stop_token& stop) = 0;
  virtual Status pull(const std::string& image, const RegistryCredential& credential,
                      const OnEngineMessage& on_message, const std::stop_token& stop) = 0;
  virtual Status remove_image(const std::string& image, const std::stop_token& stop) = 0;

  virtual Result<std::string> create_network(const std::string& name,
                                             const std::map<std::string, std::string>& labels,
                                             const std::stop_token& stop) = 0;
  virtual Status remove_network(const std::string& id, const std::stop_token& stop) = 0;
  virtual Result<std::vector<std::string>> networks_with(const std::string& label,
                                                         const std::stop_token& stop) = 0;

  virtual Result<std::string> create_container(const ContainerSpec& spec,
                                               const std::stop_token& stop) = 0;
  virtual Status start_container(const std::string& id, const std::stop_token& stop) = 0;
  virtual Result<ContainerState> container_state(const std::string& id,
                                                 const std::stop_token& stop) = 0;
  // Its last lines of output and errors, at most `bytes_max`.
  virtual Result<std::string> container_log(const std::string& id, std::size_t bytes_max,
                                            const std::stop_token& stop) = 0;
  // With its volumes, whether it runs or not. One that is gone is no error.
  virtual Status remove_container(const std::string& id, const std::stop_token& stop) = 0;
  virtual Result<std::vector<std::string>> containers_with(const std::string& label,
                                                           const std::stop_token& stop) = 0;
};

}  // namespace assay::image_build

#endif  // ASSAY_WORKERS_BUILD_DOCKER_DOCKER_API_H_
