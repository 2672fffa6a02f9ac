// The registry API, version 2, with basic and token authentication.
// Source: https://github.com/opencontainers/distribution-spec/blob/main/spec.md.
#ifndef ASSAY_WORKERS_BUILD_REGISTRY_REGISTRY_CLIENT_H_
#define ASSAY_WORKERS_BUILD_REGISTRY_REGISTRY_CLIENT_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "workers/build/registry/registry_access.h"
#include "workers/build/registry/registry_api.h"

namespace assay::http {
class Client;
struct Request;
struct Response;
}  // namespace assay::http

namespace assay::image_build {

// WWW-Authenticate: Bearer realm="https://...",service="...",scope="...".
struct TokenChallenge {
  std::string realm;
  std::string service;
  std::string scope;
};
std::optional<TokenChallenge> parse_challenge(std::string_view header);

class RegistryClient final : public RegistryApi {
 public:
  explicit RegistryClient(RegistrySettings settings);
  ~RegistryClient() override;

  Result<ManifestInfo> manifest(const ImageReference& image, const std::stop_token& stop) override;
  Result<std::string> put_index(const ImageReference& image, const std::vector<IndexEntry>& entries,
                                const std::stop_token& stop) override;

 private:
  http::Request request(const std::string& method, const ImageReference& image,
                        const std::stop_token& stop) const;
  // Carries it out, with the authentication that the registry asks for.
  Result<http::Response> call(const http::Request& request, const std::string& host) const;
  Result<std::string> token(const TokenChallenge& challenge, const std::string& host,
                            const RegistryCredential& credential,
                            const std::stop_token& stop) const;

  RegistrySettings settings_;
  std::unique_ptr<http::Client> client_;
};

}  // namespace assay::image_build

#endif  // ASSAY_WORKERS_BUILD_REGISTRY_REGISTRY_CLIENT_H_
