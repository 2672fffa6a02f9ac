#include "workers/eval/executor/kubernetes/image_program.h"

#include <nlohmann/json.hpp>

#include "assay/build.h"

namespace assay::eval::kubernetes {
namespace {

using nlohmann::json;

constexpr std::size_t kAnswerBytesMax = 4U << 20;
constexpr const char* kManifests =
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.docker.distribution.manifest.v2+json";

// One image's registry, for reading.
class Registry {
 public:
  Registry(http::Client& client, const ImageReference& image) : client_(client), image_(image) {
    const std::string name = image.host.substr(0, image.host.find(':'));
    const bool here = name == "127.0.0.1" || name == "localhost";
    base_ = (here ? "http://" : "https://") + image.host + "/v2/" + image.path + "/";
  }

  // The JSON of a manifest or a blob; `digest` becomes what the registry calls it, if it says so.
  Result<json> read(const std::string& path, std::string& digest) {
    http::Request request;
    request.url = base_ + path;
    request.headers = {{"Accept", kManifests}};
    request.redirects_max = 4;
    request.response_bytes_max = kAnswerBytesMax;
    const auto response = client_.perform(std::move(request));
    if (!response.is_ok()) {
      const Status& status = response.status();
      if (status.code() == Code::kFixInput) return status;
      return retry_later("registry_unavailable", "cannot ask the registry " + image_.host +
                                                     " for the image: " + status.message());
    }
    if (!response->good()) return refusal(response->status);
    const std::string_view said = response->header("docker-content-digest");
    if (!said.empty()) digest = said;
    json document = json::parse(response->body, nullptr, false);
    if (!document.is_object()) return broken("no JSON at " + path);
    return document;
  }

  Status broken(const std::string& what) const {
    return fix_input("invalid_image", "the registry " + image_.host + " describes the image " +
                                          image_.text() + " in an unexpected way: " + what);
  }

 private:
  Status refusal(unsigned int status) const {
    const std::string about = image_.text() + ": the registry answered " + std::to_string(status);
    if (status == 404) return fix_input("image_not_found", "there is no image " + about);
    if (status == 401 || status == 403) {
      return fix_input("image_refused",
                       "may not read the image " + about +
                           "; evaluations take images of registries that answer without "
                           "credentials");
    }
    if (status == 429 || status >= 500) return retry_later("registry_unavailable", about);
    return fix_input("invalid_image", about);
  }

  http::Client& client_;
  const ImageReference& image_;
  std::string base_;
};

const json* of_this_platform(const json& index) {
  for (const json& one : index["manifests"]) {
    if (!one.is_object() || !one.contains("platform") || !one["platform"].is_object()) continue;
    const json& platform = one["platform"];
    if (platform.value("os", "") == "linux" && platform.value("architecture", "") == "amd64") {
      return &one;
    }
  }
  return nullptr;
}

std::vector<std::string> words(const json& config, const char* key) {
  const auto found = config.find(key);
  return found == config.end() || found->is_null() ? std::vector<std::string>()
                                                   : found->get<std::vector<std::string>>();
}

// May throw json::exception: what came is not of the form that it has to have.
Result<ImageProgram> read(Registry& registry, const ImageReference& image,
                          const std::vector<std::string>& arguments) {
  std::string digest = image.digest;
  const std::string tag = image.tag.empty() ? "latest" : image.tag;
  auto manifest = registry.read("manifests/" + (digest.empty() ? tag : digest), digest);
  if (!manifest.is_ok()) return manifest.status();
  if (manifest->contains("manifests")) {
    const json* one = of_this_platform(*manifest);
    if (one == nullptr) return registry.broken("it has none for linux/amd64");
    digest = one->at("digest").get<std::string>();
    manifest = registry.read("manifests/" + digest, digest);
    if (!manifest.is_ok()) return manifest.status();
  }
  if (digest.empty()) return registry.broken("no digest");
  std::string unused;
  const auto config =
      registry.read("blobs/" + manifest->at("config").at("digest").get<std::string>(), unused);
  if (!config.is_ok()) return config.status();
  const json run = config->value("config", json::object());
  ImageProgram out;
  out.image = image.name() + "@" + digest;
  out.command = words(run, "Entrypoint");
  const auto rest = arguments.empty() ? words(run, "Cmd") : arguments;
  out.command.insert(out.command.end(), rest.begin(), rest.end());
  out.folder = run.value("WorkingDir", "");
  if (out.command.empty()) {
    return fix_input("invalid_image", "the image " + image.text() +
                                          " names nothing to run (ENTRYPOINT, CMD); say what "
                                          "after '--'");
  }
  return out;
}

}  // namespace

Result<ImageProgram> read_image_program(http::Client& client, const std::string& reference,
                                        const std::vector<std::string>& arguments) {
  const auto image = parse_image_reference(reference);
  if (!image.is_ok()) return image.status();
  Registry registry(client, *image);
  try {
    return read(registry, *image, arguments);
  } catch (const json::exception& error) {
    return registry.broken(error.what());
  }
}

}  // namespace assay::eval::kubernetes
