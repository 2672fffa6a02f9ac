// Which artifacts are needed, by how many tasks each: what retention must leave alone. A task needs
// what its body and its result name until it has ended, while another task still comes after it,
// while it is dead (it may be run again), and while it is pinned (State decides).
#ifndef ASSAY_BROKER_CORE_ARTIFACT_REFERENCES_H_
#define ASSAY_BROKER_CORE_ARTIFACT_REFERENCES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace assay::core {

// 64 lower-case hexadecimal digits.
bool is_artifact_hash(std::string_view text);

class ArtifactReferences {
 public:
  void add(const std::vector<std::string>& hashes) {
    for (const std::string& hash : hashes) ++counts_[hash];
  }
  // Those that were added.
  void remove(const std::vector<std::string>& hashes);
  bool needs(const std::string& hash) const { return counts_.contains(hash); }
  std::size_t size() const { return counts_.size(); }

 private:
  std::unordered_map<std::string, std::uint32_t> counts_;
};

}  // namespace assay::core

#endif  // ASSAY_BROKER_CORE_ARTIFACT_REFERENCES_H_
