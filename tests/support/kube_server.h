// A scripted Kubernetes API server over real HTTP: it keeps Jobs, Pods and ConfigMaps, plays the
// life of each Job's pod, and misbehaves where a test tells it to.
#ifndef ASSAY_TESTS_SUPPORT_KUBE_SERVER_H_
#define ASSAY_TESTS_SUPPORT_KUBE_SERVER_H_

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/http_server.h"

namespace assay::support {

class KubeServer {
 public:
  using Json = nlohmann::json;
  // May answer a request in the server's place: true when it has. Called without the lock.
  using Misbehaviour = std::function<bool(const ServerRequest&, ServerConnection&)>;
  // Plays what the cluster does with a new Job; called on a thread of the request.
  using Play = std::function<void(KubeServer&, const std::string& job)>;

  KubeServer();
  ~KubeServer();

  std::string url() const { return server_.url(); }
  // A kubeconfig for it, in `folder`, with this token.
  std::string kubeconfig(const std::string& folder, const std::string& token = "good") const;

  void misbehave(Misbehaviour misbehaviour);
  void play(Play play);
  // Requests need this token; any when it is empty.
  void require_token(const std::string& token);

  // The pod's life, step by step.
  void add_pod(const std::string& job);
  void set_status(const std::string& job, const Json& status);
  void write_log(const std::string& job, const std::string& container, const std::string& text);
  void end_log(const std::string& job, const std::string& container);
  void delete_pod(const std::string& job);
  // The Job's own end, as its controller tells it.
  void finish_job(const std::string& job);
  // The two halves of run_to_end.
  void run(const std::string& job, const std::vector<std::string>& harness_lines);
  void end(const std::string& job);
  // A pod that runs, whose harness says these lines in frames, and that ends well.
  void run_to_end(const std::string& job, const std::vector<std::string>& harness_lines);
  // Watches end with an error event 410, and nothing before `now` may be watched.
  void expire_watches();
  // The same, told as a status of the next watch.
  void forget_versions();
  void hang_up_all() { server_.hang_up_all(); }

  std::size_t count(const std::string& kind) const;  // jobs, pods, configmaps
  std::vector<std::string> names(const std::string& kind) const;
  Json object(const std::string& kind, const std::string& name) const;
  // How many requests of that method hit a path that holds `part`.
  std::size_t requests(const std::string& method, const std::string& part) const;
  std::size_t jobs_created() const;
  // So many pods of somebody else's, with our label, for long lists.
  void fill_with_pods(std::size_t count);

 private:
  struct Event {
    std::uint64_t version;
    std::string kind;
    std::string type;
    Json object;
  };
  struct Log {
    std::string text;
    bool ended = false;
  };

  void answer(const ServerRequest& request, ServerConnection& connection);
  void get(const ServerRequest& request, ServerConnection& connection, const std::string& kind,
           const std::string& name);
  void create(const ServerRequest& request, ServerConnection& connection, const std::string& kind);
  void remove(ServerConnection& connection, const std::string& kind, const std::string& name);
  void watch(const ServerRequest& request, ServerConnection& connection, const std::string& kind);
  void log(const ServerRequest& request, ServerConnection& connection, const std::string& pod);
  void put(const std::string& kind, const std::string& type, Json object);
  void drop(const std::string& kind, const std::string& name);
  static void complain(ServerConnection& connection, unsigned int status,
                       const std::string& reason);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::map<std::string, Json>> objects_;  // by kind and name
  std::map<std::string, Log> logs_;                             // by "pod/container"
  std::vector<Event> events_;
  std::vector<std::pair<std::string, std::string>> requests_;
  std::uint64_t version_ = 100;
  std::uint64_t oldest_ = 0;
  std::uint64_t generation_ = 0;  // of expiries
  std::size_t jobs_created_ = 0;
  std::string token_;
  bool stopping_ = false;
  Misbehaviour misbehaviour_;
  Play play_;
  std::vector<std::thread> players_;
  HttpServer server_;  // last: it uses all of the above
};

// Lines as the harness writes them in a pod.
std::string framed(const std::vector<std::string>& lines);

}  // namespace assay::support

#endif  // ASSAY_TESTS_SUPPORT_KUBE_SERVER_H_
