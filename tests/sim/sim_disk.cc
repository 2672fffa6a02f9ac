#include "tests/sim/sim_disk.h"

#include <utility>

#include "broker/core/checkpoint.h"

namespace assay::sim {

core::Location SimDisk::append(core::Record record, std::string blob) {
  const core::Location where{kLog, log_first_ + static_cast<std::uint32_t>(log_.size()),
                             static_cast<std::uint32_t>(blob.size())};
  log_.push_back({std::move(record), std::move(blob)});
  return where;
}

const std::string& SimDisk::blob_at(core::Location location) const {
  // What was dropped and is read all the same ends the program here.
  if (location.segment != kLog) return checkpoints_.at(location.segment).at(location.offset).blob;
  return log_.at(location.offset - log_first_).blob;
}

std::string SimDisk::read(core::Location location) const {
  return location.length == 0 ? std::string() : blob_at(location);
}

Status SimDisk::replay(
    const std::function<Status(const core::Record&, core::Location)>& tell) const {
  const auto tell_one = [&](const Stored& stored, std::uint32_t segment, std::size_t offset) {
    return tell(stored.record, {segment, static_cast<std::uint32_t>(offset),
                                static_cast<std::uint32_t>(stored.blob.size())});
  };
  if (base_ != 0) {
    const std::vector<Stored>& base = checkpoints_.at(base_);
    for (std::size_t i = 0; i < base.size(); ++i) {
      if (Status status = tell_one(base[i], base_, i); !status.is_ok()) return status;
    }
  }
  for (std::size_t i = 0; i < log_.size(); ++i) {
    if (Status status = tell_one(log_[i], kLog, log_first_ + i); !status.is_ok()) return status;
  }
  return Status::ok();
}

Status SimDisk::begin_checkpoint(const core::CoreOptions& options, std::size_t through) {
  core::State state(options);
  const std::uint32_t end = log_first_ + static_cast<std::uint32_t>(through);
  Status status = replay([&](const core::Record& record, core::Location blob) {
    if (blob.segment == kLog && blob.offset >= end) return Status::ok();
    return state.apply(record, blob).status();
  });
  if (!status.is_ok()) return status;
  next_ = ++last_made_;
  through_ = through;
  std::vector<Stored>& made = checkpoints_[next_];
  return core::write_checkpoint(state, [&](core::Record&& record, core::Location blob) {
    if (blob.length > 0) {
      const core::Location to{next_, static_cast<std::uint32_t>(made.size()), blob.length};
      moves_.push_back({std::get<core::TaskCarried>(record).submitted.id, blob, to});
    }
    made.push_back({std::move(record), read(blob)});
    return Status::ok();
  });
}

bool SimDisk::move_blobs(core::BrokerCore& core, std::size_t count) {
  for (; count > 0 && !moves_.empty(); --count) {
    core.on_blob_moved(moves_.front().id, moves_.front().from, moves_.front().to);
    moves_.pop_front();
  }
  if (!moves_.empty()) return false;
  log_.erase(log_.begin(), log_.begin() + static_cast<std::ptrdiff_t>(through_));
  log_first_ += static_cast<std::uint32_t>(through_);
  checkpoints_.erase(base_);
  base_ = std::exchange(next_, 0);
  return true;
}

void SimDisk::crash() {
  moves_.clear();
  checkpoints_.erase(next_);
  next_ = 0;
}

}  // namespace assay::sim
