// Whether this machine has a Docker engine to build images with.
#ifndef ASSAY_CLI_UP_DOCKER_ENGINE_H_
#define ASSAY_CLI_UP_DOCKER_ENGINE_H_

namespace assay::cli {

// Whether a socket is where DOCKER_HOST, or Docker's own habit, says that the engine's is; whether
// anybody answers there is the build worker's affair.
bool has_docker_engine();

}  // namespace assay::cli

#endif  // ASSAY_CLI_UP_DOCKER_ENGINE_H_
