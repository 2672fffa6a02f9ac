// What retention asks and is told: REFERENCES, and the operations that pin tasks.
#include <algorithm>

#include "broker/core/broker_core.h"

namespace assay::core {

void BrokerCore::on_message(PeerId peer, ReferencesRequest&& request) {
  Referenced reply{.request = request.request, .hashes = {}};
  for (std::string& hash : request.hashes) {
    if (!is_artifact_hash(hash)) {
      return refuse(peer, request.request,
                    fix_input("invalid_hash", "expected 64 lower-case hexadecimal digits, found '" +
                                                  hash.substr(0, 80) + "'"));
    }
    if (state_.artifacts().needs(hash)) reply.hashes.push_back(std::move(hash));
  }
  send(peer, std::move(reply));
}

// All or none. Pinning what is pinned changes nothing.
Result<std::uint64_t> BrokerCore::pin(const std::vector<TaskId>& ids, bool pinned) {
  std::vector<TaskId> changed;
  for (const TaskId& id : ids) {
    const TaskIndex index = state_.tasks().find(id);
    if (index == kNoTask) return not_found("unknown_task", "there is no task " + id.text());
    const bool twice = std::find(changed.begin(), changed.end(), id) != changed.end();
    if (state_.tasks().at(index).pinned != pinned && !twice) changed.push_back(id);
  }
  for (const TaskId& id : changed) {
    commit(TaskPinned{.sequence = next_sequence(), .id = id, .pinned = pinned});
  }
  return static_cast<std::uint64_t>(changed.size());
}

}  // namespace assay::core
