// What a container image runs by itself, asked of its registry: a pod starts it under our process
// 1, and has to be told what to start.
#ifndef ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_IMAGE_PROGRAM_H_
#define ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_IMAGE_PROGRAM_H_

#include <string>
#include <vector>

#include "assay/status.h"
#include "sdk/http/client.h"
#include "workers/eval/executor/executor.h"

namespace assay::eval::kubernetes {

// The image by its digest, its entry point with `arguments` in the place of its own, its folder.
// Over HTTPS; plain HTTP for a registry on this machine. Of an index the image for linux/amd64.
// Sends no credentials.
//
// Errors: `invalid_image` (fix_input: the reference, or what the registry says about it),
// `image_not_found`, `image_refused` (fix_input: the registry wants credentials),
// `registry_unavailable` (retry_later).
// Source: github.com/opencontainers/distribution-spec and image-spec.
Result<ImageProgram> read_image_program(http::Client& client, const std::string& reference,
                                        const std::vector<std::string>& arguments);

}  // namespace assay::eval::kubernetes

#endif  // ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_IMAGE_PROGRAM_H_
