// Which tasks are the same work: those of one owner and queue with one cache key. At most one of
// them is in flight, the leader; the others follow it and end as it does. The latest success is
// remembered, for as long as its task is.
#ifndef ASSAY_BROKER_CORE_SHARED_RUNS_H_
#define ASSAY_BROKER_CORE_SHARED_RUNS_H_

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "assay/ids.h"
#include "broker/core/task_table.h"

namespace assay::core {

class SharedRuns {
 public:
  // Owners are kept apart: what one has computed says nothing to another, and nobody can answer for
  // somebody else.
  using Key = std::tuple<OwnerIndex, QueueIndex, std::string>;
  struct Entry {
    TaskIndex leader = kNoTask;        // in flight
    TaskIndex success = kNoTask;       // the latest, not forgotten yet
    std::vector<TaskIndex> followers;  // of the leader, first come first
  };

  const Entry* find(const Key& key) const {
    const auto found = entries_.find(key);
    return found == entries_.end() ? nullptr : &found->second;
  }
  Entry& at(const Key& key) { return entries_[key]; }
  // Forgets the entry if nothing is left in it.
  void tidy(const Key& key) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return;
    if (found->second.leader == kNoTask && found->second.success == kNoTask) entries_.erase(found);
  }
  std::size_t size() const { return entries_.size(); }
  template <typename Visitor>
  void for_each(Visitor visit) const {
    for (const auto& [key, entry] : entries_) visit(key, entry);
  }

 private:
  std::map<Key, Entry> entries_;
};

}  // namespace assay::core

#endif  // ASSAY_BROKER_CORE_SHARED_RUNS_H_
