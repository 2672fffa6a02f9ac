// The Docker Engine API, version 1.41, over the engine's Unix socket.
// Source: https://docs.docker.com/engine/api/v1.41/.
#ifndef ASSAY_WORKERS_BUILD_DOCKER_ENGINE_CLIENT_H_
#define ASSAY_WORKERS_BUILD_DOCKER_ENGINE_CLIENT_H_

#include <memory>
#include <string>

#include "workers/build/docker/docker_api.h"

namespace assay::http {
class Client;
struct Request;
struct Response;
}  // namespace assay::http

namespace assay::image_build {

// The path of "unix:///var/run/docker.sock". Errors: `invalid_setting` (fix_input) for any other
// address: this worker speaks to an engine on its own machine only.
Result<std::string> socket_of(const std::string& docker_host);

class EngineClient final : public DockerApi {
 public:
  explicit EngineClient(std::string socket_path);
  ~EngineClient() override;

  Result<EngineInfo> info(const std::stop_token& stop) override;
  Result<std::string> build(const ImageBuild& build, const OnEngineMessage& on_message,
                            const std::stop_token& stop) override;
  Result<ImageInfo> inspect_image(const std::string& image, const std::stop_token& stop) override;
  Result<std::vector<ImageInfo>> images_with(const std::string& label,
                                             const std::stop_token& stop) override;
  Status tag(const std::string& image, const std::string& name, const std::string& tag,
             const std::stop_token& stop) override;
  Result<std::string> push(const std::string& name, const std::string& tag,
                           const RegistryCredential& credential, const OnEngineMessage& on_message,
                           const std::stop_token& stop) override;
  Status pull(const std::string& image, const RegistryCredential& credential,
              const OnEngineMessage& on_message, const std::stop_token& stop) override;
  Status remove_image(const std::string& image, const std::stop_token& stop) override;
  Result<std::string> create_network(const std::string& name,
                                     const std::map<std::string, std::string>& labels,
                                     const std::stop_token& stop) override;
  Status remove_network(const std::string& id, const std::stop_token& stop) override;
  Result<std::vector<std::string>> networks_with(const std::string& label,
                                                 const std::stop_token& stop) override;
  Result<std::string> create_container(const ContainerSpec& spec,
                                       const std::stop_token& stop) override;
  Status start_container(const std::string& id, const std::stop_token& stop) override;
  Result<ContainerState> container_state(const std::string& id,
                                         const std::stop_token& stop) override;
  Result<std::string> container_log(const std::string& id, std::size_t bytes_max,
                                    const std::stop_token& stop) override;
  Status remove_container(const std::string& id, const std::stop_token& stop) override;
  Result<std::vector<std::string>> containers_with(const std::string& label,
                                                   const std::stop_token& stop) override;

 private:
  http::Request request(const std::string& method, const std::string& path,
                        const std::stop_token& stop) const;
  // Any answer that is not 2xx is an error.
  Result<http::Response> call(http::Request request) const;
  // Answers that stream messages; the last error among them is the call's.
  Status stream(http::Request request, const char* reason, const OnEngineMessage& on_message) const;

  std::string socket_;
  std::unique_ptr<http::Client> client_;
};

}  // namespace assay::image_build

#endif  // ASSAY_WORKERS_BUILD_DOCKER_ENGINE_CLIENT_H_
