// The keys of a build request, read from any map that has them: the document of a task, or a step
// of a pipeline.
#ifndef ASSAY_SDK_BUILD_REQUEST_READER_H_
#define ASSAY_SDK_BUILD_REQUEST_READER_H_

#include "assay/build.h"
#include "sdk/config/strict_yaml.h"

namespace assay::build {

// All keys but `version`, as they stand; what they say is judged by tell_problems().
void read_request(config::Map& map, BuildRequest& out);
// Adds a mistake to the map for each problem of the request.
void tell_problems(config::Map& map, const BuildRequest& request);

}  // namespace assay::build

#endif  // ASSAY_SDK_BUILD_REQUEST_READER_H_
