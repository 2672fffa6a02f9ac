#include "broker/core/quarantine.h"

#include <cstdio>

#include "broker/core/limits.h"

namespace assay::core {

std::vector<std::string> quarantine_keys(const OwnerName& owner, std::uint32_t body_hash,
                                         const std::map<std::string, std::string>* labels) {
  char hash[9];
  std::snprintf(hash, sizeof hash, "%08x", static_cast<unsigned>(body_hash));
  std::vector<std::string> keys{owner.value + "/body:" + hash};
  if (labels == nullptr) return keys;
  const auto image = labels->find("image_digest");
  if (image != labels->end()) keys.push_back(owner.value + "/image:" + image->second);
  return keys;
}

std::uint32_t Suspects::count_loss(const std::string& key) {
  if (losses_.size() >= kSuspectCountMax && !losses_.contains(key)) {
    // Whoever was seen once is forgotten first: those that keep killing come back.
    std::erase_if(losses_, [](const auto& suspect) { return suspect.second <= 1; });
    if (losses_.size() >= kSuspectCountMax) losses_.clear();
  }
  return ++losses_[key];
}

}  // namespace assay::core
