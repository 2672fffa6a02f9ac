// How a cluster is reached and as whom: from a kubeconfig, or from the service account of the pod
// that this process runs in.
#ifndef ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_CREDENTIALS_H_
#define ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_CREDENTIALS_H_

#include <chrono>
#include <mutex>
#include <string>

#include "assay/status.h"
#include "sdk/http/request.h"

namespace assay::eval::kubernetes {

struct ClusterAccess {
  std::string server;          // "https://10.96.0.1:443"
  std::string namespace_name;  // that the credentials name; or empty
  http::Tls tls;
  std::string token;       // or
  std::string token_file;  // read again when it changes
};

// `path` may name several files as KUBECONFIG does; the first that is there counts. `context`
// empty: its current one. Errors: `unreadable_file`, `invalid_kubeconfig` (fix_input) with what is
// missing; an exec plugin is refused.
Result<ClusterAccess> read_kubeconfig(const std::string& path, const std::string& context);

// Errors: `not_in_cluster` (fix_input). `folder` is where a pod finds its service account.
Result<ClusterAccess> in_cluster_access(
    const std::string& folder = "/var/run/secrets/kubernetes.io/serviceaccount");

// The token to send now. Files are read again every minute, and at once after `refused`.
// Thread: any.
class TokenSource {
 public:
  explicit TokenSource(const ClusterAccess& access)
      : fixed_(access.token), file_(access.token_file) {}
  std::string token();
  // The server answered 401. True when the token is another now, so that a new try makes sense.
  bool refused(const std::string& token);

 private:
  std::string read() const;

  std::mutex mutex_;
  std::string fixed_;
  std::string file_;
  std::string last_;
  std::chrono::steady_clock::time_point read_at_{};
};

}  // namespace assay::eval::kubernetes

#endif  // ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_CREDENTIALS_H_
