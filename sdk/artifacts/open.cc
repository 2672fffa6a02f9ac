// Which store a location means.
#include "assay/artifacts.h"
#include "sdk/artifacts/directory_store.h"

namespace assay {

Result<std::unique_ptr<ArtifactStore>> open_artifacts(const ArtifactOptions& options) {
  if (options.location.empty() || options.location.find("://") != std::string::npos) {
    return fix_input("invalid_location",
                     "expected a directory for artifacts, found '" + options.location + "'");
  }
  return artifacts::DirectoryStore::open(options.location);
}

}  // namespace assay
