// What carries a pod's files: one part of its pack in each, owned by its Job.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "workers/eval/base64.h"
#include "workers/eval/executor/kubernetes/manifest.h"
#include "workers/eval/executor/kubernetes/objects.h"

namespace assay::eval::kubernetes {

using nlohmann::json;

std::string config_map_name(const std::string& job_name, std::size_t part) {
  return job_name + "-" + std::to_string(part);
}

std::string config_map(const Manifest& manifest, std::size_t part, const std::string& job_uid) {
  char key[20];
  std::snprintf(key, sizeof key, "part-%04zu", part);
  const json out = {{"apiVersion", "v1"},
                    {"kind", "ConfigMap"},
                    {"metadata",
                     {{"name", config_map_name(manifest.job_name, part)},
                      {"labels", {{kManagedBy, kManager}}},
                      {"ownerReferences",
                       {{{"apiVersion", "batch/v1"},
                         {"kind", "Job"},
                         {"name", manifest.job_name},
                         {"uid", job_uid}}}}}},
                    {"immutable", true},
                    {"binaryData", {{key, encode_base64(manifest.parts[part])}}}};
  return out.dump();
}

}  // namespace assay::eval::kubernetes
