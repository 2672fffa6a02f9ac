#include "broker/core/artifact_references.h"

#include <algorithm>

#include "assay/status.h"

namespace assay::core {

bool is_artifact_hash(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

void ArtifactReferences::remove(const std::vector<std::string>& hashes) {
  for (const std::string& hash : hashes) {
    const auto found = counts_.find(hash);
    ASSAY_ASSERT(found != counts_.end());
    if (--found->second == 0) counts_.erase(found);
  }
}

}  // namespace assay::core
