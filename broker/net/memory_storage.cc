// Storage without a disk. Blobs go round in a table of slots; a blob is given up when its task has
// no use for it, which the table is not told: it keeps all of them, as the journal does.
#include <vector>

#include "broker/net/storage.h"

namespace assay::net {
namespace {

class MemoryStorage : public Storage {
 public:
  Status store(const std::vector<core::Append>& appends, core::BrokerCore& core) override {
    for (const core::Append& append : appends) {
      if (append.blob.empty()) continue;
      blobs_.push_back(append.blob);
      counters_.bytes += append.blob.size();
      core.on_stored(append, {.segment = 1,
                              .offset = static_cast<std::uint32_t>(blobs_.size() - 1),
                              .length = static_cast<std::uint32_t>(append.blob.size())});
    }
    return Status::ok();
  }
  Status can_accept(const core::BrokerCore&) override { return Status::ok(); }
  Result<bool> between_turns(core::BrokerCore&) override { return false; }
  Result<std::string> read(const core::Location& location) override {
    if (location.length == 0) return std::string();
    return blobs_[location.offset];
  }
  StorageCounters counters() const override { return counters_; }
  void offer_to(history::History&) override {}
  std::uint64_t durable_sequence() const override { return 0; }
  Status close() override { return Status::ok(); }

 private:
  std::vector<std::string> blobs_;
  StorageCounters counters_;
};

}  // namespace

std::unique_ptr<Storage> make_memory_storage() {
  return std::make_unique<MemoryStorage>();
}

}  // namespace assay::net
