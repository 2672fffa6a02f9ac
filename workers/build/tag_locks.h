// Two builds of one worker that push to the same place take turns: an engine has one image behind a
// name, and it would push whichever was named last.
#ifndef ASSAY_WORKERS_BUILD_TAG_LOCKS_H_
#define ASSAY_WORKERS_BUILD_TAG_LOCKS_H_

#include <condition_variable>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <utility>

namespace assay::image_build {

class TagLocks {
 public:
  class Held {
   public:
    Held(TagLocks& locks, std::string name) : locks_(&locks), name_(std::move(name)) {}
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    ~Held() { locks_->release(name_); }

   private:
    TagLocks* locks_;
    std::string name_;
  };

  // Waits until nobody holds it, or `stop` is requested: then it is not held, and false.
  bool take(const std::string& name, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop, [&] { return !held_.contains(name); })) return false;
    held_.insert(name);
    return true;
  }
  void release(const std::string& name) {
    const std::scoped_lock lock(mutex_);
    held_.erase(name);
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::set<std::string> held_;
};

}  // namespace assay::image_build

#endif  // ASSAY_WORKERS_BUILD_TAG_LOCKS_H_
