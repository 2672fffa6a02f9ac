// Wakes a thread that waits in poll: from any thread, and from a signal handler.
#ifndef ASSAY_SDK_WORKER_WAKEUP_H_
#define ASSAY_SDK_WORKER_WAKEUP_H_

namespace assay::worker {

class Wakeup {
 public:
  Wakeup();
  ~Wakeup();
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;

  // Readable in poll from wake() until clear(). -1 when the system had none to give.
  int descriptor() const { return descriptor_; }
  // Thread: any; async-signal-safe.
  void wake() const;
  void clear() const;

 private:
  int descriptor_;
};

}  // namespace assay::worker

#endif  // ASSAY_SDK_WORKER_WAKEUP_H_
