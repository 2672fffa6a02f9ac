#include "workers/cleanup/audit.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "sdk/log/printable.h"
#include "sdk/log/structured_log.h"

namespace assay::cleanup {
namespace {

Status failed(const char* what) {
  return retry_later("unwritable_file", std::string("cannot ") + what + " the audit file: " +
                                            std::generic_category().message(errno));
}

}  // namespace

Result<Audit> Audit::open(const std::string& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (file < 0) return failed("open");
  return Audit(file);
}

Audit::~Audit() {
  if (file_ >= 0) close(file_);
}

Status Audit::record(Time now, const std::string& task, const std::string& kind,
                     const Doomed& doomed) {
  std::string line = log::json_line(now, log::Level::kInfo, "removed", "assay-cleanup",
                                    {{"task", task},
                                     {"kind", kind},
                                     {"id", doomed.item.id},
                                     {"bytes", doomed.item.bytes},
                                     {"reason", doomed.reason}}) +
                     "\n";
  // One write for a line: two writers never mix theirs.
  if (write(file_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    return failed("write");
  }
  return Status::ok();
}

Status Audit::flush() {
  return fdatasync(file_) == 0 ? Status::ok() : failed("flush");
}

}  // namespace assay::cleanup
