#include "workers/build/registry/registry_client.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sdk/http/client.h"
#include "sdk/http/request.h"
#include "sdk/log/printable.h"
#include "sdk/wire/base64.h"
#include "workers/build/docker/engine_request.h"

namespace assay::image_build {
namespace {

using Json = nlohmann::json;
using http::Milliseconds;

constexpr const char* kDockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
constexpr const char* kDockerIndex = "application/vnd.docker.distribution.manifest.list.v2+json";
constexpr const char* kOciManifest = "application/vnd.oci.image.manifest.v1+json";
constexpr const char* kOciIndex = "application/vnd.oci.image.index.v1+json";
constexpr std::size_t kShownBytesMax = 500;

std::uint64_t size_of(const Json& descriptor) {
  if (!descriptor.is_object()) return 0;
  const auto size = descriptor.find("size");
  return size != descriptor.end() && size->is_number_unsigned() ? size->get<std::uint64_t>() : 0;
}

Status registry_error(const http::Response& response, const std::string& host) {
  const std::string words = "the registry " + host + " answered " +
                            std::to_string(response.status) + ": " +
                            log::printable(response.body.substr(0, kShownBytesMax));
  if (response.status == 404) return not_found("not_found", words);
  if (response.status >= 500 || response.status == 429) {
    return retry_later("registry_unreachable", words)
        .with_retry_after(response.retry_after().value_or(Milliseconds(0)));
  }
  return fix_input("registry_refused", words);
}

// "linux/arm/v7" as an index writes it.
Json platform_json(const std::string& platform) {
  const std::size_t first = platform.find('/');
  const std::size_t second = platform.find('/', first + 1);
  Json json{{"os", platform.substr(0, first)},
            {"architecture", platform.substr(first + 1, second - first - 1)}};
  if (second != std::string::npos) json["variant"] = platform.substr(second + 1);
  return json;
}

}  // namespace

std::optional<TokenChallenge> parse_challenge(std::string_view header) {
  constexpr std::string_view kBearer = "bearer ";
  if (header.size() < kBearer.size()) return std::nullopt;
  std::string scheme(header.substr(0, kBearer.size()));
  std::transform(scheme.begin(), scheme.end(), scheme.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (scheme != kBearer) return std::nullopt;
  header.remove_prefix(kBearer.size());
  TokenChallenge out;
  while (!header.empty()) {
    const std::size_t equals = header.find("=\"");
    if (equals == std::string_view::npos) break;
    const std::size_t end = header.find('"', equals + 2);
    if (end == std::string_view::npos) break;
    std::string_view name = header.substr(0, equals);
    while (name.starts_with(' ') || name.starts_with(',')) name.remove_prefix(1);
    const std::string value(header.substr(equals + 2, end - equals - 2));
    if (name == "realm") out.realm = value;
    if (name == "service") out.service = value;
    if (name == "scope") out.scope = value;
    header.remove_prefix(end + 1);
  }
  if (!out.realm.starts_with("https://") && !out.realm.starts_with("http://")) return std::nullopt;
  return out;
}

RegistryClient::RegistryClient(RegistrySettings settings)
    : settings_(std::move(settings)), client_(std::make_unique<http::Client>()) {}
RegistryClient::~RegistryClient() = default;

http::Request RegistryClient::request(const std::string& method, const ImageReference& image,
                                      const std::stop_token& stop) const {
  http::Request out;
  const std::string scheme = speaks_plain_http(settings_, image.host) ? "http://" : "https://";
  const std::string host = image.host == "docker.io" ? "registry-1.docker.io" : image.host;
  out.method = method;
  out.url = scheme + host + "/v2/" + image.path + "/manifests/" +
            (image.digest.empty() ? image.tag : image.digest);
  out.headers = {{"Accept", std::string(kDockerManifest) + ", " + kDockerIndex + ", " +
                                kOciManifest + ", " + kOciIndex}};
  out.timeouts.total = Milliseconds(60'000);
  out.redirects_max = 3;
  out.cancel = stop;
  const auto access = settings_.access.find(image.host);
  if (access != settings_.access.end()) out.tls.ca_file = access->second.ca_file;
  return out;
}

Result<http::Response> RegistryClient::call(const http::Request& wanted,
                                            const std::string& host) const {
  const auto perform = [&](const http::Request& request) -> Result<http::Response> {
    Result<http::Response> response = client_->perform(request);
    if (response.is_ok()) return response;
    if (response.status().reason() == "http_cancelled") {
      return Status(Code::kRetryCall, "stopped", "stopped");
    }
    const std::string words =
        "the registry " + host + " does not answer: " + response.status().message();
    if (response.status().code() == Code::kFixInput) return fix_input("registry_refused", words);
    return retry_later("registry_unreachable", words);
  };
  Result<http::Response> response = perform(wanted);
  if (!response.is_ok()) return response;
  if (response->status == 401) {
    const Result<RegistryCredential> credential = credential_for(settings_, host);
    if (!credential.is_ok()) return credential.status();
    http::Request again = wanted;
    const auto challenge = parse_challenge(response->header("www-authenticate"));
    if (challenge) {
      const Result<std::string> bearer = token(*challenge, host, *credential, wanted.cancel);
      if (!bearer.is_ok()) return bearer.status();
      again.bearer_token = *bearer;
    } else if (!credential->username.empty()) {
      again.headers.emplace_back(
          "Authorization",
          "Basic " + wire::encode_base64(credential->username + ":" + credential->password));
    }
    response = perform(again);
    if (!response.is_ok()) return response;
  }
  if (!response->good()) return registry_error(*response, host);
  return response;
}

Result<std::string> RegistryClient::token(const TokenChallenge& challenge, const std::string& host,
                                          const RegistryCredential& credential,
                                          const std::stop_token& stop) const {
  http::Request get;
  get.url = challenge.realm + (challenge.realm.find('?') == std::string::npos ? "?" : "&") +
            "service=" + url_encoded(challenge.service) + "&scope=" + url_encoded(challenge.scope);
  get.timeouts.total = Milliseconds(30'000);
  get.cancel = stop;
  // A password goes to a token server in the clear only where the registry itself is in the clear.
  const bool clear = get.url.starts_with("http://") && !speaks_plain_http(settings_, host);
  if (!credential.username.empty() && !clear) {
    get.headers = {{"Authorization", "Basic " + wire::encode_base64(credential.username + ":" +
                                                                    credential.password)}};
  }
  const Result<http::Response> response = client_->perform(get);
  if (!response.is_ok()) {
    return retry_later("registry_unreachable",
                       "the token server of the registry " + host +
                           " does not answer: " + response.status().message());
  }
  if (!response->good()) return registry_error(*response, host);
  const Json json = Json::parse(response->body, nullptr, false);
  for (const char* const name : {"token", "access_token"}) {
    if (json.is_object() && json.contains(name) && json[name].is_string()) {
      return json[name].get<std::string>();
    }
  }
  return fix_input("registry_refused",
                   "the token server of the registry " + host + " gave no token");
}

Result<ManifestInfo> RegistryClient::manifest(const ImageReference& image,
                                              const std::stop_token& stop) {
  const Result<http::Response> response = call(request("GET", image, stop), image.host);
  if (!response.is_ok()) return response.status();
  ManifestInfo out;
  out.digest = response->header("docker-content-digest");
  out.media_type = response->header("content-type");
  out.manifest_bytes = response->body.size();
  const Json json = Json::parse(response->body, nullptr, false);
  if (!json.is_object()) {
    return retry_later("registry_unreachable", "the registry " + image.host + " gave no manifest");
  }
  if (json.contains("config")) out.image_bytes = size_of(json["config"]);
  if (json.contains("layers") && json["layers"].is_array()) {
    for (const Json& layer : json["layers"]) out.image_bytes += size_of(layer);
  }
  return out;
}

Result<std::string> RegistryClient::put_index(const ImageReference& image,
                                              const std::vector<IndexEntry>& entries,
                                              const std::stop_token& stop) {
  Json manifests = Json::array();
  for (const IndexEntry& entry : entries) {
    manifests.push_back({{"mediaType", entry.media_type},
                         {"digest", entry.digest},
                         {"size", entry.manifest_bytes},
                         {"platform", platform_json(entry.platform)}});
  }
  http::Request put = request("PUT", image, stop);
  put.headers.emplace_back("Content-Type", kDockerIndex);
  put.body =
      Json{{"schemaVersion", 2}, {"mediaType", kDockerIndex}, {"manifests", std::move(manifests)}}
          .dump();
  const Result<http::Response> response = call(put, image.host);
  if (!response.is_ok()) return response.status();
  return std::string(response->header("docker-content-digest"));
}

}  // namespace assay::image_build
