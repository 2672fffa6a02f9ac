// The files of one pod on this machine: PODS/NAME/assay is what the sandbox sees at /assay.
#ifndef ASSAY_WORKERS_EVAL_EXECUTOR_LOCAL_POD_FOLDER_H_
#define ASSAY_WORKERS_EVAL_EXECUTOR_LOCAL_POD_FOLDER_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "assay/evaluation.h"
#include "assay/status.h"
#include "workers/eval/executor/local/descriptor.h"

namespace assay::eval {

// Gone, with all that is in it, when the object is.
class PodFolder {
 public:
  // Errors: `pod_failed` (retry_later).
  static Result<PodFolder> make(const std::string& pods_folder, const std::string& name);
  PodFolder(PodFolder&&) = default;
  PodFolder& operator=(PodFolder&&) = delete;
  ~PodFolder();

  // A file under the folder, with the folders it needs; readable by everyone, written by nobody.
  // Errors: `pod_failed`, also when the path leaves the folder or crosses a link.
  Status write(const std::string& path, std::string_view content);
  // Lets `user` make sockets in assay/.
  Status give_to(uid_t user);

  const std::string& path() const { return path_; }
  int descriptor() const { return folder_.get(); }       // of the folder
  int assay_descriptor() const { return assay_.get(); }  // of assay/

 private:
  PodFolder(std::string path, Descriptor folder, Descriptor assay)
      : path_(std::move(path)), folder_(std::move(folder)), assay_(std::move(assay)) {}
  std::string path_;
  Descriptor folder_;
  Descriptor assay_;
};

// Removes what earlier workers left in `pods_folder`. The caller holds the folder's lock, so none
// of it is in use. Returns how many pods that was.
std::size_t remove_left_pods(const std::string& pods_folder);

}  // namespace assay::eval

#endif  // ASSAY_WORKERS_EVAL_EXECUTOR_LOCAL_POD_FOLDER_H_
