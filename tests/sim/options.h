// What may go wrong in a run, and how often: drawn from the seed, printed with it.
#ifndef ASSAY_TESTS_SIM_OPTIONS_H_
#define ASSAY_TESTS_SIM_OPTIONS_H_

#include <cstdint>
#include <string>

#include "assay/ids.h"

namespace assay::sim {

struct Options {
  std::uint64_t seed = 1;
  int clients = 0;
  int workers = 0;
  int tasks = 0;
  std::uint32_t slots_max = 1;
  double loss = 0;  // of a message
  double duplication = 0;
  Duration delay_max{0};    // of a message; they overtake each other
  double broker_crash = 0;  // in a loop turn
  double worker_crash = 0;  // in a second
  double worker_pause = 0;
  double cut = 0;     // of a connection, in a second
  double cancel = 0;  // of a task
  double task_fails = 0;
  double task_retries = 0;
  double infrastructure_fails = 0;
  double dependencies = 0;  // of a task on others
  double times = 0;         // not_before, timeout, deadline
  double requirements = 0;
  double quota = 0;        // of an owner: a bound on what it has running
  double shared_work = 0;  // of a task: a cache key that others have too
  double snoozes = 0;      // of an attempt
  double hand_overs = 0;
  double poison = 0;       // of a task: it kills whoever gets it
  double disk_fails = 0;   // in a loop turn that writes: the broker says nothing and ends
  double compaction = 0;   // in a loop turn: it begins, and what a recovery gives is compared
  double partition = 0;    // in a second: nothing arrives anywhere for a while
  double clock_jumps = 0;  // at a start of the broker
  double refuses_new = 0;  // a broker that takes nothing new for a while, in a second
  bool schedules = false;
  int wall_speed = 1;     // of the calendar against everything else: due times come sooner
  double wall_jumps = 0;  // of the wall clock, forward or back, in a second
  Duration trouble{0};    // how long all this goes on; then everything heals
};

Options options_from_seed(std::uint64_t seed);
std::string describe(const Options& options);

}  // namespace assay::sim

#endif  // ASSAY_TESTS_SIM_OPTIONS_H_
