// The simulated disk: the records that became durable, in order. It is compacted as the real
// journal is, while the broker goes on: what was written up to some record becomes a checkpoint,
// blobs move a few a turn, and then the old records go. The broker may die at any point of that.
#ifndef ASSAY_TESTS_SIM_SIM_DISK_H_
#define ASSAY_TESTS_SIM_SIM_DISK_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "broker/core/broker_core.h"
#include "broker/core/location.h"
#include "broker/core/record.h"

namespace assay::sim {

class SimDisk {
 public:
  // Durable from now on.
  core::Location append(core::Record record, std::string blob);
  std::string read(core::Location location) const;
  // Tells all that a recovery reads. A Status that is not ok ends it.
  Status replay(const std::function<Status(const core::Record&, core::Location)>& tell) const;

  // --- Compaction ---
  bool is_compacting() const { return next_ != 0; }
  // Makes a checkpoint of what was written before the `through`-th of the records after the last
  // one. A Status: what was read made no state.
  Status begin_checkpoint(const core::CoreOptions& options, std::size_t through);
  std::size_t records_since_checkpoint() const { return log_.size(); }
  // Moves up to `count` blobs; after the last of them the old records go, and this answers true.
  bool move_blobs(core::BrokerCore& core, std::size_t count);
  // The process died.
  void crash();

 private:
  struct Stored {
    core::Record record;
    std::string blob;
  };
  struct Move {
    TaskId id;
    core::Location from;
    core::Location to;
  };
  static constexpr std::uint32_t kLog = 1;  // the segment of its locations; checkpoints count on

  const std::string& blob_at(core::Location location) const;

  std::deque<Stored> log_;
  std::uint32_t log_first_ = 0;  // of all records ever, the number of the first in log_
  std::map<std::uint32_t, std::vector<Stored>> checkpoints_;
  std::uint32_t base_ = 0;  // the checkpoint that log_ goes on from; 0: none
  std::uint32_t next_ = 0;  // the one that is being moved to; 0: none
  std::uint32_t last_made_ = kLog;
  std::size_t through_ = 0;
  std::deque<Move> moves_;
};

}  // namespace assay::sim

#endif  // ASSAY_TESTS_SIM_SIM_DISK_H_
