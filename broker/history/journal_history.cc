#include "broker/history/journal_history.h"

#include <utility>

#include "broker/history/schema.h"
#include "broker/journal/directory.h"

namespace assay::history {

JournalHistory::JournalHistory(const JournalHistoryOptions& options, std::uint64_t journal_id)
    : path_(options.path.empty() ? default_path(options.journal_directory) : options.path),
      reader_(file_system_, options.journal_directory, journal_id) {}

std::string JournalHistory::default_path(const std::string& journal_directory) {
  return journal::path_in(journal_directory, "history.db");
}

Result<std::unique_ptr<JournalHistory>> JournalHistory::open(const JournalHistoryOptions& options) {
  journal::PosixFileSystem file_system;
  const auto manifest = journal::read_manifest(file_system, options.journal_directory);
  if (!manifest.is_ok()) return manifest.status();
  if (!manifest.value()) {
    return not_found(std::string(journal::kReasonFileNotFound),
                     "there is no journal in " + options.journal_directory);
  }
  const std::uint64_t journal_id = manifest.value()->journal_id;
  std::unique_ptr<JournalHistory> made(new JournalHistory(options, journal_id));
  if (options.rebuild) {
    if (Status status = remove_history(made->path_); !status.is_ok()) return status;
  }
  auto history = History::open(
      {.path = made->path_,
       .journal_id = journal_id,
       .last_sequence = options.last_sequence,
       .replay = [reader = &made->reader_](
                     std::uint64_t after, std::uint64_t through,
                     const BatchVisitor& visit) { return reader->read(after, through, visit); },
       .retention = options.retention,
       .on_status = options.on_status});
  if (!history.is_ok()) return history.status();
  made->history_ = std::move(*history);
  return made;
}

}  // namespace assay::history
