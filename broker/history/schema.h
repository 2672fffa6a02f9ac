// The tables of the history and the steps that lead from each version to the next.
// docs/history.md describes them. A step that was released never changes; another one is added.
#ifndef ASSAY_BROKER_HISTORY_SCHEMA_H_
#define ASSAY_BROKER_HISTORY_SCHEMA_H_

#include <span>
#include <string>
#include <string_view>

#include "assay/status.h"
#include "broker/history/sqlite.h"

namespace assay::history {

inline constexpr std::string_view kReasonVersion = "history_version";  // kFixInput
inline constexpr std::string_view kReasonForeign = "history_foreign";  // kFixInput

// The i-th leads from version i to i + 1.
std::span<const char* const> migrations();

// Brings the database to the version after the last of `steps`, in one transaction. Errors:
// kReasonVersion (a newer assay wrote it), kReasonForeign (it is no history), those of Database.
Status migrate(Database& database, std::span<const char* const> steps = migrations());
// Whether it has this version; for those who only read. Errors: as above.
Status check_version(Database& database);

// Opens a history for writing, made or brought up to date. Errors: as above.
Result<Database> open_for_writing(const std::string& path);

// Removes the history's files. The next open makes a new one, which the journal fills.
// Errors: kReasonUnreachable.
Status remove_history(const std::string& path);

}  // namespace assay::history

#endif  // ASSAY_BROKER_HISTORY_SCHEMA_H_
