#include "workers/build/plan/build_key.h"

#include <array>
#include <ctime>

#include "sdk/artifacts/sha256.h"
#include "workers/build/docker/docker_api.h"

namespace assay::image_build {
namespace {

// Each part with its length in front, so that no two lists of parts look alike.
void add(std::string& to, std::string_view part) {
  to += std::to_string(part.size());
  to += ':';
  to += part;
}

void add(std::string& to, const std::map<std::string, std::string>& values) {
  add(to, std::to_string(values.size()));
  for (const auto& [name, value] : values) {
    add(to, name);
    add(to, value);
  }
}

}  // namespace

std::string build_key(const BuildRequest& request, const BuildIdentity& identity) {
  std::string text = "assay build 1\n";
  add(text, identity.source);
  add(text, identity.dockerfile_text);
  add(text, request.git_url);
  add(text, request.submodules ? "submodules" : "");
  add(text, request.subdirectory);
  add(text, request.dockerfile_text.empty() ? request.dockerfile : "");
  add(text, request.arguments);
  add(text, request.labels);
  add(text, request.target);
  add(text, request.network ? "network" : "");
  for (const std::string& platform : request.platforms) add(text, platform);
  return artifacts::Sha256::of(text).text();
}

std::map<std::string, std::string> image_labels(const BuildRequest& request, const std::string& key,
                                                const std::string& commit, Time created) {
  std::map<std::string, std::string> labels = request.labels;
  labels[kKeyLabel] = key;
  if (!request.git_url.empty()) {
    labels.emplace("org.opencontainers.image.source", request.git_url);
  }
  if (!commit.empty()) labels.emplace("org.opencontainers.image.revision", commit);
  const std::time_t seconds = std::chrono::system_clock::to_time_t(created);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  (void)std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  labels.emplace("org.opencontainers.image.created", text.data());
  return labels;
}

Time submitted_at(const TaskId& task) {
  std::int64_t milliseconds = 0;
  for (std::size_t i = 0; i < 6; ++i) milliseconds = milliseconds << 8 | task.bytes[i];
  return Time(Duration(milliseconds));
}

}  // namespace assay::image_build
