#include "broker/core/fingerprint.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <string_view>

namespace assay::core {
namespace {

// Chains fields by seeding each hash with the one before; the length of each is part of its hash,
// so that "ab","c" and "a","bc" differ.
class Chain {
 public:
  void add(std::string_view bytes) {
    value_ = XXH3_64bits_withSeed(bytes.data(), bytes.size(), value_ + bytes.size());
  }
  void add(std::uint64_t number) {
    add(std::string_view(reinterpret_cast<const char*>(&number), sizeof number));
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0;
};

}  // namespace

std::uint64_t fingerprint(const TaskSpec& task) {
  Chain chain;
  chain.add(task.queue.value);
  chain.add(task.owner.value);
  chain.add(std::uint64_t{task.priority} << 32 | task.max_attempts);
  for (const auto& [label, value] : task.labels) {
    chain.add(label);
    chain.add(value);
  }
  chain.add(task.body);
  return chain.value();
}

}  // namespace assay::core
