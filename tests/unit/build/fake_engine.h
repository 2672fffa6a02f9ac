// A Docker engine and a registry of the imagination: they remember what they were asked, hold what
// they were given, and fail where a test says so.
#ifndef ASSAY_TESTS_UNIT_BUILD_FAKE_ENGINE_H_
#define ASSAY_TESTS_UNIT_BUILD_FAKE_ENGINE_H_

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "assay/worker.h"
#include "workers/build/docker/docker_api.h"
#include "workers/build/registry/registry_api.h"

namespace assay::image_build {

struct FakeWorld {
  std::vector<std::string> calls;
  // Asked before each call ("push r.example/a:v1"): what it answers that is not ok is the answer.
  std::function<Status(const std::string& call)> before = {};
  std::map<std::string, ImageInfo> images;                           // by id
  std::map<std::string, std::map<std::string, std::string>> labels;  // of images and containers
  std::map<std::string, std::string> names;                          // "name:tag" -> image id
  std::map<std::string, std::string> registry;                       // "name:tag" -> digest
  std::set<std::string> containers;
  std::set<std::string> networks;
  std::string context;  // what the last build was sent
  ContainerState state{true, 0, false, "", "10.0.0.2"};
  std::string made_for = "linux/amd64";
  int built = 0;

  Status call(const std::string& text) {
    calls.push_back(text);
    return before ? before(text) : Status::ok();
  }
  std::size_t count(std::string_view front) const {
    std::size_t out = 0;
    for (const std::string& one : calls) out += one.starts_with(front) ? 1U : 0U;
    return out;
  }
};

class FakeEngine final : public DockerApi {
 public:
  explicit FakeEngine(FakeWorld& world) : world_(world) {}
  Result<EngineInfo> info(const std::stop_token&) override;
  Result<std::string> build(const ImageBuild& build, const OnEngineMessage& on_message,
                            const std::stop_token& stop) override;
  Result<ImageInfo> inspect_image(const std::string& image, const std::stop_token&) override;
  Result<std::vector<ImageInfo>> images_with(const std::string& label,
                                             const std::stop_token&) override;
  Status tag(const std::string& image, const std::string& name, const std::string& tag,
             const std::stop_token&) override;
  Result<std::string> push(const std::string& name, const std::string& tag,
                           const RegistryCredential& credential, const OnEngineMessage& on_message,
                           const std::stop_token&) override;
  Status pull(const std::string& image, const RegistryCredential&, const OnEngineMessage&,
              const std::stop_token&) override;
  Status remove_image(const std::string&, const std::stop_token&) override { return Status::ok(); }
  Result<std::string> create_network(const std::string& name,
                                     const std::map<std::string, std::string>& labels,
                                     const std::stop_token&) override;
  Status remove_network(const std::string& id, const std::stop_token&) override;
  Result<std::vector<std::string>> networks_with(const std::string& label,
                                                 const std::stop_token&) override;
  Result<std::string> create_container(const ContainerSpec& spec, const std::stop_token&) override;
  Status start_container(const std::string& id, const std::stop_token&) override;
  Result<ContainerState> container_state(const std::string& id, const std::stop_token&) override;
  Result<std::string> container_log(const std::string& id, std::size_t,
                                    const std::stop_token&) override;
  Status remove_container(const std::string& id, const std::stop_token&) override;
  Result<std::vector<std::string>> containers_with(const std::string& label,
                                                   const std::stop_token&) override;

 private:
  std::vector<std::string> with(const std::set<std::string>& ids, const std::string& label) const;
  FakeWorld& world_;
};

class FakeRegistry final : public RegistryApi {
 public:
  explicit FakeRegistry(FakeWorld& world) : world_(world) {}
  Result<ManifestInfo> manifest(const ImageReference& image, const std::stop_token&) override;
  Result<std::string> put_index(const ImageReference& image, const std::vector<IndexEntry>& entries,
                                const std::stop_token&) override;

 private:
  FakeWorld& world_;
};

// A handler's line to the broker that goes nowhere.
class FakeContext final : public TaskContext {
 public:
  void progress(std::uint64_t, std::uint64_t, std::string text) override {
    told.push_back(std::move(text));
  }
  void log(std::string lines) override { logged += lines + "\n"; }
  void safety(std::string) override {}
  bool cancelled() const override { return cancel; }
  bool wait_cancelled(Duration) override { return cancel; }

  std::vector<std::string> told;
  std::string logged;
  std::atomic<bool> cancel = false;
};

}  // namespace assay::image_build

#endif  // ASSAY_TESTS_UNIT_BUILD_FAKE_ENGINE_H_
