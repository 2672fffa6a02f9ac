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

std::uint32_t Suspects::count_loss(const std::string& key, const WorkerName& worker, Time at) {
  if (suspects_.size() >= kSuspectCountMax && !suspects_.contains(key)) {
    // Whoever was seen once is forgotten first: those that keep killing come back.
    std::erase_if(suspects_, [](const auto& suspect) { return suspect.second.losses <= 1; });
    if (suspects_.size() >= kSuspectCountMax) suspects_.clear();
  }
  Suspect& suspect = suspects_[key];
  if (suspect.last != at) suspect.workers.clear();
  suspect.last = at;
  if (suspect.workers.insert(worker).second) ++suspect.losses;
  return suspect.losses;
}

}  // namespace assay::core
