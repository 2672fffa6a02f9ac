// What travels into a pod: the plan, the submission, perhaps another runner, as one piece of bytes
// that is cut into parts. Both sides use this file. Pure but for unpack().
#ifndef ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_POD_PACK_H_
#define ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_POD_PACK_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace assay::eval::kubernetes {

struct PackedFile {
  std::string path;  // relative, without `..`
  std::string content;
};

struct Pack {
  std::string plan;    // plan.json
  std::string runner;  // empty: the image's own
  std::vector<PackedFile> files;
};

std::string encode_pack(const Pack& pack);
// False, and `error` says why, when `bytes` are no pack or a path would leave its folder.
bool decode_pack(std::string_view bytes, Pack& out, std::string& error);

}  // namespace assay::eval::kubernetes

#endif  // ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_POD_PACK_H_
