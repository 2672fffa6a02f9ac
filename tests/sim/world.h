// Simulated time and a simulated network: things happen in the order of their time, and messages
// are delayed, lost, doubled and overtaken as the dice say.
#ifndef ASSAY_TESTS_SIM_WORLD_H_
#define ASSAY_TESTS_SIM_WORLD_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "assay/ids.h"
#include "tests/sim/dice.h"
#include "tests/sim/options.h"

namespace assay::sim {

class World {
 public:
  explicit World(const Options& options) : options_(options), dice_(options.seed) {}

  const Options& options() const { return options_; }
  Dice& dice() { return dice_; }
  Time now() const { return now_; }
  // After this, nothing goes wrong any more.
  void heal() { healed_ = true; }
  bool healed() const { return healed_; }

  void after(Duration delay, std::function<void()> what) {
    agenda_.emplace(std::make_pair(now_ + delay, ++order_), std::move(what));
  }
  // Carries something over the network: `deliver` runs later, twice, or never.
  void carry(const std::function<void()>& deliver) {
    if (healed_) return after(Duration(1), deliver);
    if (now_ < cut_until_ || dice_.chance(options_.loss)) return;
    after(dice_.delay(Duration(0), options_.delay_max), deliver);
    if (dice_.chance(options_.duplication))
      after(dice_.delay(Duration(0), options_.delay_max), deliver);
  }
  // Nothing that is sent until then arrives.
  void partition_until(Time until) { cut_until_ = until; }
  // Runs the next thing on the agenda, unless it lies beyond `until`. False: nothing is left until
  // then.
  bool run_next(Time until) {
    if (agenda_.empty() || agenda_.begin()->first.first > until) {
      now_ = until;
      return false;
    }
    auto next = agenda_.extract(agenda_.begin());
    now_ = next.key().first;
    next.mapped()();
    return true;
  }

  // Something is wrong: the run has failed.
  void fail(std::string sentence) {
    if (wrong_.empty()) wrong_ = std::move(sentence);
  }
  const std::string& wrong() const { return wrong_; }

  // A rare path was taken. Over the fixed set of seeds each must be.
  void mark(const std::string& path) { ++marks_[path]; }
  const std::map<std::string, std::uint64_t>& marks() const { return marks_; }

 private:
  Options options_;
  Dice dice_;
  Time now_ = Time(std::chrono::hours(24 * 365 * 50));
  Time cut_until_{};
  bool healed_ = false;
  std::uint64_t order_ = 0;
  std::map<std::pair<Time, std::uint64_t>, std::function<void()>> agenda_;
  std::string wrong_;
  std::map<std::string, std::uint64_t> marks_;
};

}  // namespace assay::sim

#endif  // ASSAY_TESTS_SIM_WORLD_H_
