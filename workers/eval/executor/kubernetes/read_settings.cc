#include "workers/eval/executor/kubernetes/read_settings.h"

#include <utility>

namespace assay::eval::kubernetes {
namespace {

using config::Map;
using std::chrono::hours;
using std::chrono::milliseconds;

void read_cluster(const std::string& name, Map& map, ClusterSettings& cluster) {
  cluster.name = name;
  map.text("kubeconfig", cluster.kubeconfig);
  map.text("context", cluster.context);
  map.text("namespace", cluster.namespace_name);
  map.texts("labels", cluster.labels);
  map.integer("weight", cluster.weight, {0, 1000});
  map.integer("pods_max", cluster.pods_max, {1, 100'000});
  map.boolean("accept_open_network", cluster.accept_open_network);
}

}  // namespace

void read_settings(Map& map, Settings& settings) {
  map.text("pod_image", settings.pod_image);
  map.text("subject_image", settings.subject_image);
  map.texts("image_pull_secrets", settings.image_pull_secrets);
  map.text("service_account", settings.service_account);
  map.duration("pending_max", settings.pending_max, {milliseconds(1000), hours(24)});
  map.duration("image_pull_max", settings.image_pull_max, {milliseconds(1000), hours(24)});
  map.duration("no_pod_max", settings.no_pod_max, {milliseconds(1000), hours(1)});
  map.duration("orphan_grace", settings.orphan_grace, {milliseconds(1000), hours(24 * 7)});
  map.integer("finished_ttl_seconds", settings.finished_ttl_seconds, {60, 7 * 24 * 3600});
  map.integer("pods_max", settings.pods_max, {1, 100'000});
  map.bytes("submission_max", settings.pack_bytes_max, {1ULL << 16, 64ULL << 20});
  map.number("writes_per_second", settings.writes_per_second, {0.1, 10'000});
  std::vector<ClusterSettings> clusters;
  map.named("clusters", [&](const std::string& name, Map& cluster) {
    read_cluster(name, cluster, clusters.emplace_back());
  });
  if (!clusters.empty()) settings.clusters = std::move(clusters);
}

void read_profile(Map& map, PodProfile& profile) {
  map.text("cpu", profile.cpu);
  map.text("gpu_resource", profile.gpu_resource);
  map.integer("gpus", profile.gpus, {0, 64});
  map.texts("node_selector", profile.node_selector);
  map.texts("tolerations", profile.tolerations);
  map.text("priority_class", profile.priority_class);
  map.text("runtime_class", profile.runtime_class);
}

std::map<std::string, std::string> common_labels(const Settings& settings) {
  std::map<std::string, std::string> common;
  bool first = true;
  for (const ClusterSettings& cluster : settings.clusters) {
    if (cluster.weight == 0) continue;
    if (std::exchange(first, false)) common = cluster.labels;
    std::erase_if(common, [&](const auto& label) {
      const auto found = cluster.labels.find(label.first);
      return found == cluster.labels.end() || found->second != label.second;
    });
  }
  return common;
}

Status check_settings(const Settings& settings) {
  if (settings.pod_image.empty()) {
    return fix_input("invalid_setting",
                     "kubernetes.pod_image: expected the image with the harness; make it with "
                     "deploy/images/build");
  }
  return Status::ok();
}

}  // namespace assay::eval::kubernetes
