// A broker's state as text, for two to be compared: all of it that a recovery must give back.
#ifndef ASSAY_TESTS_SUPPORT_STATE_TEXT_H_
#define ASSAY_TESTS_SUPPORT_STATE_TEXT_H_

#include <functional>
#include <string>

#include "broker/core/state.h"

namespace assay::testing {

// `read` tells what lies at a location.
std::string describe_state(const core::State& state,
                           const std::function<std::string(core::Location)>& read);

// The first lines of the two that differ; empty: they are the same.
std::string difference(const std::string& was, const std::string& gave);

}  // namespace assay::testing

#endif  // ASSAY_TESTS_SUPPORT_STATE_TEXT_H_
