// This worker's own place on the disk: locked while it runs, with a name that outlives it, by which
// it finds what it made before it was killed.
#ifndef ASSAY_WORKERS_BUILD_INSTANCE_H_
#define ASSAY_WORKERS_BUILD_INSTANCE_H_

#include <string>
#include <utility>

#include "assay/status.h"
#include "workers/build/descriptor.h"

namespace assay::image_build {

class Instance {
 public:
  // Makes the folder when it is missing. Errors: `data_dir_in_use` (conflict), `no_folder`.
  static Result<Instance> take(const std::string& folder);

  const std::string& id() const { return id_; }

 private:
  Instance(Descriptor lock, std::string id) : lock_(std::move(lock)), id_(std::move(id)) {}

  Descriptor lock_;
  std::string id_;
};

}  // namespace assay::image_build

#endif  // ASSAY_WORKERS_BUILD_INSTANCE_H_
