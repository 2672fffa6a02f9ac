// Bodies and images whose tasks kept killing workers. A key names one, within its owner: hostile
// tasks that wear somebody else's body or image harm their own owner only.
//
//   red-team/body:00af3377         the hash of the body
//   red-team/image:sha256:9f86...  the label `image_digest`
//
// Durable: what is quarantined. Suspects are counted in memory, until a success of the same body or
// image clears it, and from the beginning after a restart.
#ifndef ASSAY_BROKER_CORE_QUARANTINE_H_
#define ASSAY_BROKER_CORE_QUARANTINE_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "assay/ids.h"

namespace assay::core {

struct Quarantine {
  Time since{};
  std::uint32_t losses = 0;
  std::string reason;
};
using Quarantines = std::map<std::string, Quarantine>;

// The keys of a task; the image's only where its labels name one.
std::vector<std::string> quarantine_keys(const OwnerName& owner, std::uint32_t body_hash,
                                         const std::map<std::string, std::string>* labels);

class Suspects {
 public:
  // Counts a worker that was lost to it, once, however many of its tasks it held; returns how many
  // were, without a success between.
  std::uint32_t count_loss(const std::string& key, const WorkerName& worker, Time at);
  // It can run after all.
  void clear(const std::string& key) { suspects_.erase(key); }
  bool empty() const { return suspects_.empty(); }

 private:
  struct Suspect {
    std::uint32_t losses = 0;
    Time last{};
    std::set<WorkerName> workers;  // that were lost then
  };
  std::map<std::string, Suspect> suspects_;
};

}  // namespace assay::core

#endif  // ASSAY_BROKER_CORE_QUARANTINE_H_
