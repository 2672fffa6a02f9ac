#include "tests/unit/build/fake_engine.h"

#include <array>

namespace assay::image_build {

Result<EngineInfo> FakeEngine::info(const std::stop_token&) {
  const Status status = world_.call("info");
  if (!status.is_ok()) return status;
  return EngineInfo{"20.10", "1.41", "linux/amd64"};
}

Result<std::string> FakeEngine::build(const ImageBuild& build, const OnEngineMessage& on_message,
                                      const std::stop_token&) {
  world_.context.clear();
  std::array<char, 4096> piece{};
  while (true) {
    const Result<std::size_t> count = build.context(piece.data(), piece.size());
    if (!count.is_ok()) return count.status();
    if (*count == 0) break;
    world_.context.append(piece.data(), *count);
  }
  on_message({"Step 1/2 : FROM a\n"});
  on_message({" ---> Using cache\n"});
  on_message({"Step 2/2 : RUN make\n"});
  on_message({"compiling\n"});
  const Status status = world_.call("build " + build.platform);
  if (!status.is_ok()) return status;
  const std::string id = "sha256:image" + std::to_string(++world_.built);
  world_.images[id] = {id, build.platform.empty() ? world_.made_for : build.platform, {}, {}, 100};
  world_.labels[id] = build.labels;
  return id;
}

Result<ImageInfo> FakeEngine::inspect_image(const std::string& image, const std::stop_token&) {
  const auto found = world_.images.find(image);
  if (found == world_.images.end()) return not_found("not_found", "no such image");
  return found->second;
}

Result<std::vector<ImageInfo>> FakeEngine::images_with(const std::string& label,
                                                       const std::stop_token&) {
  const Status status = world_.call("images");
  if (!status.is_ok()) return status;
  std::vector<ImageInfo> out;
  for (const auto& [id, image] : world_.images) {
    for (const auto& [name, value] : world_.labels[id]) {
      if (name + "=" + value == label) out.push_back(image);
    }
  }
  return out;
}

Status FakeEngine::tag(const std::string& image, const std::string& name, const std::string& tag,
                       const std::stop_token&) {
  world_.names[name + ":" + tag] = image;
  return world_.call("tag " + name + ":" + tag);
}

Result<std::string> FakeEngine::push(const std::string& name, const std::string& tag,
                                     const RegistryCredential&, const OnEngineMessage& on_message,
                                     const std::stop_token&) {
  const Status status = world_.call("push " + name + ":" + tag);
  if (!status.is_ok()) return status;
  on_message({"Pushed", "layer1"});
  const std::string id = world_.names[name + ":" + tag];
  const std::string digest = "sha256:" + std::string(58, '0') + id.substr(id.size() - 6);
  world_.images[id].digests.push_back(name + "@" + digest);
  world_.registry[name + ":" + tag] = digest;
  world_.registry[name + "@" + digest] = digest;
  return digest;
}

Status FakeEngine::pull(const std::string& image, const RegistryCredential&, const OnEngineMessage&,
                        const std::stop_token&) {
  return world_.call("pull " + image);
}

Result<std::string> FakeEngine::create_network(const std::string& name,
                                               const std::map<std::string, std::string>& labels,
                                               const std::stop_token&) {
  const Status status = world_.call("network " + name);
  if (!status.is_ok()) return status;
  world_.networks.insert("net-" + name);
  world_.labels["net-" + name] = labels;
  return "net-" + name;
}

Status FakeEngine::remove_network(const std::string& id, const std::stop_token&) {
  world_.networks.erase(id);
  return world_.call("remove network");
}

Result<std::vector<std::string>> FakeEngine::networks_with(const std::string& label,
                                                           const std::stop_token&) {
  return with(world_.networks, label);
}

Result<std::string> FakeEngine::create_container(const ContainerSpec& spec,
                                                 const std::stop_token&) {
  const Status status = world_.call("container on " + spec.network);
  if (!status.is_ok()) return status;
  world_.containers.insert("c-" + spec.name);
  world_.labels["c-" + spec.name] = spec.labels;
  return "c-" + spec.name;
}

Status FakeEngine::start_container(const std::string&, const std::stop_token&) {
  return world_.call("start");
}

Result<ContainerState> FakeEngine::container_state(const std::string&, const std::stop_token&) {
  const Status status = world_.call("state");
  if (!status.is_ok()) return status;
  return world_.state;
}

Result<std::string> FakeEngine::container_log(const std::string&, std::size_t,
                                              const std::stop_token&) {
  return std::string("what the container said");
}

Status FakeEngine::remove_container(const std::string& id, const std::stop_token&) {
  world_.containers.erase(id);
  return world_.call("remove container");
}

Result<std::vector<std::string>> FakeEngine::containers_with(const std::string& label,
                                                             const std::stop_token&) {
  const Status status = world_.call("containers");
  if (!status.is_ok()) return status;
  return with(world_.containers, label);
}

std::vector<std::string> FakeEngine::with(const std::set<std::string>& ids,
                                          const std::string& label) const {
  std::vector<std::string> out;
  for (const std::string& id : ids) {
    const auto labels = world_.labels.find(id);
    if (labels == world_.labels.end()) continue;
    for (const auto& [name, value] : labels->second) {
      if (name + "=" + value == label) out.push_back(id);
    }
  }
  return out;
}

Result<ManifestInfo> FakeRegistry::manifest(const ImageReference& image, const std::stop_token&) {
  const Status status = world_.call("manifest " + image.text());
  if (!status.is_ok()) return status;
  const std::string key =
      image.name() + (image.digest.empty() ? ":" + image.tag : "@" + image.digest);
  const auto found = world_.registry.find(key);
  if (found == world_.registry.end()) return not_found("not_found", "no " + key);
  return ManifestInfo{found->second, "type", 10, 1000};
}

Result<std::string> FakeRegistry::put_index(const ImageReference& image,
                                            const std::vector<IndexEntry>& entries,
                                            const std::stop_token&) {
  std::string call = "index " + image.text();
  for (const IndexEntry& entry : entries) call += " " + entry.platform;
  const Status status = world_.call(call);
  if (!status.is_ok()) return status;
  const std::string digest = "sha256:" + std::string(64, 'f');
  world_.registry[image.name() + ":" + image.tag] = digest;
  world_.registry[image.name() + "@" + digest] = digest;
  return digest;
}

}  // namespace assay::image_build
