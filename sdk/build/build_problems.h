// What is wrong with a request, each problem with the key of the document that it concerns. Pure.
#ifndef ASSAY_SDK_BUILD_BUILD_PROBLEMS_H_
#define ASSAY_SDK_BUILD_BUILD_PROBLEMS_H_

#include <string>
#include <vector>

#include "assay/build.h"

namespace assay::build {

struct Problem {
  std::string key;   // of the document's top: "source"
  std::string text;  // "git: expected ..."
};

// Every problem, in the order of the document's keys.
std::vector<Problem> find_problems(const BuildRequest& request);

}  // namespace assay::build

#endif  // ASSAY_SDK_BUILD_BUILD_PROBLEMS_H_
