// A line of JSON for each deletion, durable before it is done: nothing goes without a record.
#ifndef ASSAY_WORKERS_CLEANUP_AUDIT_H_
#define ASSAY_WORKERS_CLEANUP_AUDIT_H_

#include <string>
#include <utility>

#include "assay/status.h"
#include "workers/cleanup/plan.h"

namespace assay::cleanup {

// Thread: one at a time.
class Audit {
 public:
  // Appends to `path`. Errors: `unwritable_file` (retry_later).
  static Result<Audit> open(const std::string& path);
  Audit(Audit&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  Audit& operator=(Audit&&) = delete;
  ~Audit();

  // {"time","task","kind","id","bytes","reason"}. Errors: `unwritable_file` (retry_later).
  Status record(Time now, const std::string& task, const std::string& kind, const Doomed& doomed);
  // Makes the lines before durable. Errors: as record.
  Status flush();

 private:
  explicit Audit(int file) : file_(file) {}
  int file_;
};

}  // namespace assay::cleanup

#endif  // ASSAY_WORKERS_CLEANUP_AUDIT_H_
