#include "workers/build/docker/engine_client.h"

#include <nlohmann/json.hpp>

#include "sdk/http/client.h"
#include "sdk/http/request.h"
#include "sdk/log/printable.h"
#include "workers/build/docker/engine_request.h"
#include "workers/build/docker/message_stream.h"

namespace assay::image_build {
namespace {

using Json = nlohmann::json;
using http::Milliseconds;

constexpr Milliseconds kCallTimeout{60'000};
constexpr Milliseconds kConnectTimeout{5'000};
constexpr std::size_t kShownBytesMax = 2000;

// A field of an answer; null when it is not there.
const Json& field(const Json& object, const char* name) {
  static const Json kNothing;
  if (!object.is_object()) return kNothing;
  const auto found = object.find(name);
  return found == object.end() ? kNothing : *found;
}
std::string text(const Json& object, const char* name) {
  const Json& value = field(object, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}
std::int64_t whole(const Json& object, const char* name) {
  const Json& value = field(object, name);
  return value.is_number_integer() ? value.get<std::int64_t>() : 0;
}
std::vector<std::string> texts(const Json& object, const char* name) {
  std::vector<std::string> out;
  const Json& list = field(object, name);
  if (!list.is_array()) return out;
  for (const Json& one : list) {
    if (one.is_string()) out.push_back(one.get<std::string>());
  }
  return out;
}

Status not_understood(const std::string& what) {
  return retry_later("engine_failed", "the Docker engine's answer was not understood: " + what);
}

Status engine_error(const http::Response& response) {
  const Json json = Json::parse(response.body, nullptr, false);
  std::string words = text(json, "message");
  if (words.empty()) words = response.body.substr(0, kShownBytesMax);
  words = "the Docker engine answered " + std::to_string(response.status) + ": " +
          log::printable(words.substr(0, kShownBytesMax));
  if (response.status == 404) return not_found("not_found", words);
  if (response.status >= 500) return retry_later("engine_failed", words);
  return fix_input("engine_refused", words);
}

Status transport_error(const Status& status, const std::string& socket) {
  if (status.reason() == "http_cancelled" || status.reason() == "http_stopped") {
    return Status(Code::kRetryCall, "stopped", "stopped");
  }
  return retry_later("engine_unreachable",
                     "no Docker engine answers at " + socket + ": " + status.message());
}

std::string platform_of(const Json& json) {
  const std::string variant = text(json, "Variant");
  const std::string architecture = text(json, "Architecture");
  return text(json, "Os") + "/" + architecture +
         (variant.empty() || architecture == "arm64" ? "" : "/" + variant);
}

// Whether the engine means that its registry does not let us in, and not that it is away.
bool is_refusal(const std::string& words) {
  for (const char* const one : {"denied", "unauthorized", "authentication required", "forbidden",
                                "no basic auth", "invalid reference", "name unknown",
                                "requested access", "manifest unknown", "does not exist"}) {
    if (words.find(one) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

Result<std::string> socket_of(const std::string& docker_host) {
  constexpr std::string_view kFront = "unix://";
  if (docker_host.starts_with(kFront) && docker_host.substr(kFront.size()).starts_with("/")) {
    return docker_host.substr(kFront.size());
  }
  return fix_input("invalid_setting", "expected unix:///PATH of a Docker engine's socket, found '" +
                                          docker_host + "'");
}

EngineClient::EngineClient(std::string socket_path)
    : socket_(std::move(socket_path)), client_(std::make_unique<http::Client>()) {}
EngineClient::~EngineClient() = default;

http::Request EngineClient::request(const std::string& method, const std::string& path,
                                    const std::stop_token& stop) const {
  http::Request request;
  request.method = method;
  request.url = "http://docker/v1.41" + path;
  request.unix_socket = socket_;
  request.timeouts.connect = kConnectTimeout;
  request.timeouts.total = kCallTimeout;
  request.http2 = false;
  request.cancel = stop;
  return request;
}

Result<http::Response> EngineClient::call(http::Request request) const {
  Result<http::Response> response = client_->perform(std::move(request));
  if (!response.is_ok()) return transport_error(response.status(), socket_);
  if (!response->good()) return engine_error(*response);
  return response;
}

Status EngineClient::stream(http::Request request, const char* reason,
                            const OnEngineMessage& on_message) const {
  Status failure;
  MessageStream messages([&](const EngineMessage& message) {
    if (!message.error.empty()) {
      const std::string words = log::printable(message.error.substr(0, kShownBytesMax));
      failure = Status(is_refusal(message.error) || message.error_code != 0 ? Code::kFixInput
                                                                            : Code::kRetryLater,
                       reason, words);
    }
    on_message(message);
  });
  request.timeouts.total = Milliseconds(0);  // its caller stops it
  request.on_body = [&](const http::Response&, std::string_view bytes) {
    messages.add(bytes);
    return http::Flow::kContinue;
  };
  Result<http::Response> response = call(std::move(request));
  messages.finish();
  return response.is_ok() ? failure : response.status();
}

Result<EngineInfo> EngineClient::info(const std::stop_token& stop) {
  Result<http::Response> response = call(request("GET", "/version", stop));
  if (!response.is_ok()) return response.status();
  const Json json = Json::parse(response->body, nullptr, false);
  EngineInfo out{text(json, "Version"), text(json, "ApiVersion"),
                 text(json, "Os") + "/" + text(json, "Arch")};
  if (out.version.empty()) return not_understood("/version");
  return out;
}

Result<std::string> EngineClient::build(const ImageBuild& build, const OnEngineMessage& on_message,
                                        const std::stop_token& stop) {
  http::Request post = request("POST", build_path(build), stop);
  post.headers = {{"Content-Type", "application/x-tar"},
                  {"X-Registry-Config", registry_config(build.credentials)}};
  // A context that can't be read ends the call: half of one must not become an image.
  std::stop_source broken;
  const std::stop_callback chained(stop, [&broken] { broken.request_stop(); });
  post.cancel = broken.get_token();
  Status context;
  post.read_body = [&](char* to, std::size_t size) -> std::size_t {
    const Result<std::size_t> count = build.context(to, size);
    if (count.is_ok()) return *count;
    context = count.status();
    broken.request_stop();
    return 0;
  };
  std::string image;
  const Status status = stream(std::move(post), "build_failed", [&](const EngineMessage& message) {
    if (!message.image_id.empty()) image = message.image_id;
    on_message(message);
  });
  if (!context.is_ok()) return context;
  // Whatever the engine says while it builds is about this build: trying again changes nothing.
  if (status.reason() == "build_failed") return fix_input("build_failed", status.message());
  if (!status.is_ok()) return status;
  if (image.empty()) return not_understood("a build that tells no image");
  return image;
}

Result<ImageInfo> EngineClient::inspect_image(const std::string& image,
                                              const std::stop_token& stop) {
  Result<http::Response> response =
      call(request("GET", "/images/" + url_encoded(image) + "/json", stop));
  if (!response.is_ok()) return response.status();
  const Json json = Json::parse(response->body, nullptr, false);
  ImageInfo out{text(json, "Id"), platform_of(json), texts(json, "RepoTags"),
                texts(json, "RepoDigests"), static_cast<std::uint64_t>(whole(json, "Size"))};
  if (out.id.empty()) return not_understood("an image without an id");
  return out;
}

Result<std::vector<ImageInfo>> EngineClient::images_with(const std::string& label,
                                                         const std::stop_token& stop) {
  Result<http::Response> response =
      call(request("GET", "/images/json?filters=" + label_filter(label), stop));
  if (!response.is_ok()) return response.status();
  const Json json = Json::parse(response->body, nullptr, false);
  if (!json.is_array()) return not_understood("/images/json");
  std::vector<ImageInfo> out;
  for (const Json& one : json) {
    out.push_back({text(one, "Id"), "", texts(one, "RepoTags"), texts(one, "RepoDigests"),
                   static_cast<std::uint64_t>(whole(one, "Size")), whole(one, "Created")});
  }
  return out;
}

Status EngineClient::tag(const std::string& image, const std::string& name, const std::string& tag,
                         const std::stop_token& stop) {
  return call(request("POST",
                      "/images/" + url_encoded(image) + "/tag?repo=" + url_encoded(name) +
                          "&tag=" + url_encoded(tag),
                      stop))
      .status();
}

Result<std::string> EngineClient::push(const std::string& name, const std::string& tag,
                                       const RegistryCredential& credential,
                                       const OnEngineMessage& on_message,
                                       const std::stop_token& stop) {
  http::Request post = request("POST", "/images/" + name + "/push?tag=" + url_encoded(tag), stop);
  post.headers = {{"X-Registry-Auth", registry_auth(credential)}};
  std::string digest;
  const Status status = stream(std::move(post), "push_failed", [&](const EngineMessage& message) {
    if (!message.digest.empty()) digest = message.digest;
    on_message(message);
  });
  if (!status.is_ok()) return status;
  if (digest.empty()) return not_understood("a push that tells no digest");
  return digest;
}

Status EngineClient::pull(const std::string& image, const RegistryCredential& credential,
                          const OnEngineMessage& on_message, const std::stop_token& stop) {
  http::Request post = request("POST", "/images/create?fromImage=" + url_encoded(image), stop);
  post.headers = {{"X-Registry-Auth", registry_auth(credential)}};
  return stream(std::move(post), "pull_failed", on_message);
}

Status EngineClient::remove_image(const std::string& image, const std::stop_token& stop) {
  return call(request("DELETE", "/images/" + url_encoded(image), stop)).status();
}

}  // namespace assay::image_build
