// What must hold after every step, as a program. Checked in all tests and by the simulation.
#ifndef ASSAY_BROKER_CORE_INVARIANTS_H_
#define ASSAY_BROKER_CORE_INVARIANTS_H_

#include <string>
#include <vector>

#include "broker/core/broker_core.h"

namespace assay::core {

// What is wrong with this state, one sentence each; empty when nothing is. Looks at every task.
std::vector<std::string> check_now(const BrokerCore& core);

}  // namespace assay::core

#endif  // ASSAY_BROKER_CORE_INVARIANTS_H_
