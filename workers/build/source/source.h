// The files of a build, brought into a folder from wherever the request says.
#ifndef ASSAY_WORKERS_BUILD_SOURCE_SOURCE_H_
#define ASSAY_WORKERS_BUILD_SOURCE_SOURCE_H_

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "assay/build.h"
#include "assay/status.h"
#include "sdk/build/context_folder.h"
#include "workers/build/settings.h"

namespace assay::image_build {

struct Source {
  std::string commit;          // of git
  std::string context_sha256;  // of an archive
  std::optional<Time> committed_at;
  build::ContextFolder files;
};

// Writes the artifact of that hash to a file. Errors: those of the store.
using ReadArtifact = std::function<Status(const std::string& sha256, const std::string& path)>;

// `folder` is this build's own and empty. Errors: those of fetch_git, unpack_archive and
// ContextFolder::open; `unknown_artifact`, `no_artifact_store` (fix_input).
Result<Source> fetch_source(const BuildRequest& request, const BuildSettings& settings,
                            const std::string& folder, const ReadArtifact& read_artifact,
                            const std::function<void(std::string_view)>& log,
                            const std::stop_token& stop);

}  // namespace assay::image_build

#endif  // ASSAY_WORKERS_BUILD_SOURCE_SOURCE_H_
