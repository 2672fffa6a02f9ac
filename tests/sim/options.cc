#include "tests/sim/options.h"

#include <sstream>

#include "tests/sim/dice.h"

namespace assay::sim {

Options options_from_seed(std::uint64_t seed) {
  Dice dice(seed ^ 0xA55A);
  // Each trouble is absent in some runs: a fault that hides behind another shows there.
  const auto rate = [&dice](double most) {
    return dice.chance(0.3) ? 0.0 : most * static_cast<double>(dice.below(1000)) / 1000.0;
  };
  Options options;
  options.seed = seed;
  options.clients = static_cast<int>(dice.between(1, 4));
  options.workers = static_cast<int>(dice.between(1, 6));
  options.tasks = static_cast<int>(dice.between(5, 120));
  options.slots_max = static_cast<std::uint32_t>(dice.between(1, 8));
  options.loss = rate(0.1);
  options.duplication = rate(0.1);
  options.delay_max = Duration(dice.between(1, dice.chance(0.2) ? 3000 : 50));
  options.broker_crash = rate(0.01);
  options.worker_crash = rate(0.05);
  options.worker_pause = rate(0.05);
  options.cut = rate(0.1);
  options.cancel = rate(0.2);
  options.task_fails = rate(0.2);
  options.task_retries = rate(0.3);
  options.infrastructure_fails = rate(0.2);
  options.dependencies = rate(0.5);
  options.times = rate(0.3);
  options.requirements = options.workers > 1 ? rate(0.3) : 0;
  options.quota = rate(0.5);
  options.refuses_new = rate(0.02);
  options.shared_work = rate(0.5);
  options.snoozes = rate(0.1);
  options.hand_overs = rate(0.2);
  options.poison = rate(0.05);
  options.disk_fails = rate(0.005);
  options.partition = rate(0.05);
  options.clock_jumps = rate(0.5);
  options.trouble = std::chrono::seconds(dice.between(10, 90));
  options.schedules = dice.chance(0.5);
  options.wall_speed = static_cast<int>(dice.between(1, 40));
  options.wall_jumps = rate(0.2);
  options.compaction = rate(0.008);
  return options;
}

std::string describe(const Options& options) {
  std::ostringstream out;
  out << "seed=" << options.seed << " clients=" << options.clients << " workers=" << options.workers
      << " tasks=" << options.tasks << " slots_max=" << options.slots_max
      << " loss=" << options.loss << " duplication=" << options.duplication
      << " delay_max_ms=" << options.delay_max.count() << " broker_crash=" << options.broker_crash
      << " worker_crash=" << options.worker_crash << " worker_pause=" << options.worker_pause
      << " cut=" << options.cut << " cancel=" << options.cancel
      << " task_fails=" << options.task_fails << " task_retries=" << options.task_retries
      << " infrastructure_fails=" << options.infrastructure_fails
      << " dependencies=" << options.dependencies << " times=" << options.times
      << " requirements=" << options.requirements << " quota=" << options.quota
      << " shared_work=" << options.shared_work << " snoozes=" << options.snoozes
      << " hand_overs=" << options.hand_overs << " poison=" << options.poison
      << " disk_fails=" << options.disk_fails << " partition=" << options.partition
      << " clock_jumps=" << options.clock_jumps << " refuses_new=" << options.refuses_new
      << " trouble_ms=" << options.trouble.count() << " schedules=" << options.schedules
      << " wall_speed=" << options.wall_speed << " wall_jumps=" << options.wall_jumps
      << " compaction=" << options.compaction;
  return out.str();
}

}  // namespace assay::sim
