// Artifacts in a directory, which any number of processes of this machine may share:
//
//   objects/ab/ab12...ef     an artifact, named by its hash, in a shard by the hash's first two
//   digits names/K3/01HZ...K3/log.txt   a name; the file's text is the hash. Sharded by the id's
//   end, since
//                                ids begin alike; '/' and '%' in names are written %2F and %25
//   tmp/                     what is being written; a file that no process has locked is left over
//   removing/                artifacts out of sight while somebody asks whether they may go
//   damaged/                 artifacts that were not what their name says
//   lock                     shared while an artifact is made visible or young, exclusive while one
//                            is removed
#ifndef ASSAY_SDK_ARTIFACTS_DIRECTORY_STORE_H_
#define ASSAY_SDK_ARTIFACTS_DIRECTORY_STORE_H_

#include <filesystem>
#include <memory>
#include <string>

#include "assay/artifacts.h"
#include "sdk/artifacts/durable_file.h"

namespace assay::artifacts {

class DirectoryStore : public ArtifactStore {
 public:
  // Makes the directory when it is missing, and removes what dead processes left in tmp/.
  static Result<std::unique_ptr<ArtifactStore>> open(const std::string& directory);

  Result<ArtifactInfo> put(const ByteSource& source) override;
  Status get(const ArtifactHash& hash, ByteRange range, const ByteSink& sink) override;
  Result<ArtifactInfo> stat(const ArtifactHash& hash) override;
  Status list(const Visit& visit) override;
  Result<ArtifactInfo> touch(const ArtifactHash& hash) override;
  Status remove(const ArtifactHash& hash, Time stored_before, const Confirm& confirm = {}) override;
  Status set_name(const ArtifactName& name, const ArtifactHash& hash) override;
  Result<NamedArtifact> find_name(const ArtifactName& name) override;
  Status list_names(std::optional<TaskId> task, const VisitName& visit) override;
  Status remove_name(const ArtifactName& name) override;

 private:
  explicit DirectoryStore(std::filesystem::path root) : root_(std::move(root)) {}

  std::filesystem::path object(const ArtifactHash& hash) const;
  std::filesystem::path folder_of(const TaskId& task) const;
  Result<std::uint64_t> copy(const ByteSource& source, TemporaryFile& file, ArtifactHash& hash);
  Status send(const ArtifactInfo& info, ByteRange range, Descriptor& file, const ByteSink& sink);
  Status put_back(const ArtifactHash& hash);
  Status put_back_left_over();
  Status visit_names_of(const TaskId& task, const VisitName& visit);

  std::filesystem::path root_;
};

}  // namespace assay::artifacts

#endif  // ASSAY_SDK_ARTIFACTS_DIRECTORY_STORE_H_
