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

// What was added to the protocol later counts only where it is said, so that older fingerprints
// stay what they are.
void add_rest(Chain& chain, const TaskSpec& task) {
  const TaskSpec plain;
  const auto add = [&](std::string_view name, std::uint64_t value) {
    chain.add(name);
    chain.add(value);
  };
  const auto milliseconds = [](auto time) { return static_cast<std::uint64_t>(time.count()); };
  for (const TaskId& id : task.after) {
    chain.add("after");
    chain.add(std::string_view(reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()));
  }
  if (task.on_failure != plain.on_failure)
    add("on_failure", static_cast<std::uint64_t>(task.on_failure));
  if (task.not_before != plain.not_before)
    add("not_before", milliseconds(task.not_before.time_since_epoch()));
  if (task.deadline != plain.deadline)
    add("deadline", milliseconds(task.deadline.time_since_epoch()));
  if (task.timeout != plain.timeout) add("timeout", milliseconds(task.timeout));
  if (task.backoff_first != plain.backoff_first)
    add("backoff_first", milliseconds(task.backoff_first));
  if (task.backoff_max != plain.backoff_max) add("backoff_max", milliseconds(task.backoff_max));
  if (task.cost != plain.cost) add("cost", task.cost);
  if (!task.cache_key.empty()) {
    chain.add("cache_key");
    chain.add(task.cache_key);
  }
  if (task.cache_ttl != plain.cache_ttl) add("cache_ttl", milliseconds(task.cache_ttl));
  if (!task.traceparent.empty()) {
    chain.add("traceparent");
    chain.add(task.traceparent);
  }
  for (const std::string& hash : task.artifacts) {
    chain.add("artifact");
    chain.add(hash);
  }
  for (const auto& [label, value] : task.require) {
    chain.add("require " + label);
    chain.add(value);
  }
}

}  // namespace

std::uint32_t body_hash_of(std::string_view body) {
  return static_cast<std::uint32_t>(XXH3_64bits(body.data(), body.size()));
}

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
  add_rest(chain, task);
  return chain.value();
}

}  // namespace assay::core
