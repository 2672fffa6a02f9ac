// One run: trouble, then peace, then the demand that everything has ended.
#ifndef ASSAY_TESTS_SIM_SIMULATION_H_
#define ASSAY_TESTS_SIM_SIMULATION_H_

#include <cstdint>
#include <map>
#include <string>

#include "tests/sim/options.h"

namespace assay::sim {

struct Verdict {
  std::string wrong;  // empty: every promise was kept
  std::map<std::string, std::uint64_t> marks;
  std::size_t tasks = 0;
};

Verdict simulate(const Options& options);

}  // namespace assay::sim

#endif  // ASSAY_TESTS_SIM_SIMULATION_H_
