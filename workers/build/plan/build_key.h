// What makes two builds the same, as one hash, and the labels that an image gets. Pure.
#ifndef ASSAY_WORKERS_BUILD_PLAN_BUILD_KEY_H_
#define ASSAY_WORKERS_BUILD_PLAN_BUILD_KEY_H_

#include <map>
#include <string>

#include "assay/build.h"
#include "assay/ids.h"

namespace assay::image_build {

struct BuildIdentity {
  std::string source;           // a commit, or the hash of an archive; empty: no files
  std::string dockerfile_text;  // what the Dockerfile says
};

// 64 digits: the same for the same source, Dockerfile, arguments, target, platforms and labels.
std::string build_key(const BuildRequest& request, const BuildIdentity& identity);

// The request's own labels, and those of OCI's annotations that it does not set itself. `created`
// is the commit's time or the task's, so that another attempt makes the same image.
// Source: https://github.com/opencontainers/image-spec/blob/main/annotations.md.
std::map<std::string, std::string> image_labels(const BuildRequest& request, const std::string& key,
                                                const std::string& commit, Time created);

// When a task was submitted, which its id tells.
Time submitted_at(const TaskId& task);

}  // namespace assay::image_build

#endif  // ASSAY_WORKERS_BUILD_PLAN_BUILD_KEY_H_
