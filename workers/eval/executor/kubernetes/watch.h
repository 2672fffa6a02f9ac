// All objects of one kind in one namespace that bear our label, as they are now: listed once, then
// watched, for ever. Knows no kind: objects are JSON texts.
#ifndef ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_WATCH_H_
#define ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_WATCH_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "workers/eval/executor/kubernetes/api.h"

namespace assay::eval::kubernetes {

struct WatchOptions {
  std::string resource;                 // "pods"
  std::string path;                     // "/api/v1/namespaces/assay-evals/pods"
  std::string selector;                 // label selector
  Milliseconds watch_timeout{300'000};  // asked of the server; a half more at random
  Milliseconds silence_margin{30'000};  // beyond it a silent watch is given up
  std::uint32_t page = 500;
};

// Theory of operation. A list gives every object and a version to watch from; events after it move
// the version on, bookmarks too. A watch that ends is begun again from there; a version that is too
// old (410, as a status or as an event) means a new list, whose absences are told as `gone`.
// Whatever else happens is tried again with a growing wait; the memory of objects stays.
// Thread: the loop's.
class Watch {
 public:
  using OnObject = std::function<void(const std::string& object)>;
  using OnGone = std::function<void(const std::string& name, const std::string& uid)>;

  Watch(Loop& loop, Api& api, WatchOptions options, OnObject on_object, OnGone on_gone);
  ~Watch();
  void start() { list(""); }
  // The first list has been told in full.
  bool listed() const { return listed_; }
  std::uint64_t lists() const { return lists_; }

 private:
  struct Known {
    std::string uid;
    std::uint64_t version = 0;
  };

  void list(const std::string& proceed);
  void on_page(const http::Response& response);
  void on_listed();
  void watch();
  void on_bytes(const std::string& bytes);
  void on_event(const std::string& line);
  void on_watch_end(const Result<http::Response>& result);
  void on_object(const std::string& object, const std::string& name, const std::string& uid,
                 std::uint64_t version);
  void later(void (Watch::*what)());
  void list_anew() { list(""); }

  Loop& loop_;
  Api& api_;
  WatchOptions options_;
  OnObject on_object_;
  OnGone on_gone_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Api::StreamId stream_ = 0;
  std::map<std::string, Known> known_;  // by name
  std::set<std::string> seen_;          // in the list that is under way
  std::string version_;
  std::string half_;
  bool listed_ = false;
  bool expired_ = false;
  bool heard_ = false;  // the present watch has said something
  std::uint32_t failures_ = 0;
  std::uint64_t lists_ = 0;
};

}  // namespace assay::eval::kubernetes

#endif  // ASSAY_WORKERS_EVAL_EXECUTOR_KUBERNETES_WATCH_H_
