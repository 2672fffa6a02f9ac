// The history of a journal in a directory: finds the journal's id, reads it when history must catch
// up, and can begin anew. This is what a broker opens. Must not know: the broker.
#ifndef ASSAY_BROKER_HISTORY_JOURNAL_HISTORY_H_
#define ASSAY_BROKER_HISTORY_JOURNAL_HISTORY_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "assay/status.h"
#include "broker/history/history.h"
#include "broker/history/journal_reader.h"
#include "broker/journal/posix_file_system.h"

namespace assay::history {

struct JournalHistoryOptions {
  std::string journal_directory;
  std::uint64_t last_sequence = 0;  // of the journal, once it is recovered
  std::string path;                 // of the history; empty: history.db beside the journal
  // Throw away what there is and read the journal from its beginning, as far back as it reaches.
  bool rebuild = false;
  Retention retention;
  std::function<void(const Status&)> on_status{};  // as in HistoryOptions
};

// Thread: as History says.
class JournalHistory {
 public:
  // The journal must have been opened. Errors: those of History::open and remove_history; a broker
  // goes on without history then, and says so.
  static Result<std::unique_ptr<JournalHistory>> open(const JournalHistoryOptions& options);
  static std::string default_path(const std::string& journal_directory);

  History& history() { return *history_; }
  const History& history() const { return *history_; }
  const std::string& path() const { return path_; }  // for readers

 private:
  JournalHistory(const JournalHistoryOptions& options, std::uint64_t journal_id);

  Result<std::uint64_t> read(std::uint64_t after, std::uint64_t through, const BatchVisitor& visit);

  std::string path_;
  std::string directory_;
  journal::PosixFileSystem file_system_;
  JournalReader reader_;
  std::unique_ptr<History> history_;  // last: it reads through the others
};

}  // namespace assay::history

#endif  // ASSAY_BROKER_HISTORY_JOURNAL_HISTORY_H_
