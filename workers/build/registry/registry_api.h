// What a build asks of an image registry, and nothing more.
#ifndef ASSAY_WORKERS_BUILD_REGISTRY_REGISTRY_API_H_
#define ASSAY_WORKERS_BUILD_REGISTRY_REGISTRY_API_H_

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "assay/build.h"
#include "assay/status.h"

namespace assay::image_build {

struct ManifestInfo {
  std::string digest;  // as the registry says it
  std::string media_type;
  std::uint64_t manifest_bytes = 0;
  std::uint64_t image_bytes = 0;  // compressed: configuration and layers; 0 for an index
};

// A manifest of an index.
struct IndexEntry {
  std::string digest;
  std::string media_type;
  std::uint64_t manifest_bytes = 0;
  std::string platform;  // "linux/arm64"
};

// Errors of every call: `registry_unreachable` (retry_later), `registry_refused` (fix_input: no
// access, or a bad name), `not_found` (not_found), `stopped` (retry_call). Thread: any.
class RegistryApi {
 public:
  virtual ~RegistryApi() = default;
  // By the reference's digest when it has one, else by its tag.
  virtual Result<ManifestInfo> manifest(const ImageReference& image,
                                        const std::stop_token& stop) = 0;
  // Puts one index of several platforms at the reference's tag; its digest.
  virtual Result<std::string> put_index(const ImageReference& image,
                                        const std::vector<IndexEntry>& entries,
                                        const std::stop_token& stop) = 0;
};

}  // namespace assay::image_build

#endif  // ASSAY_WORKERS_BUILD_REGISTRY_REGISTRY_API_H_
