// Prints a journal, frame by frame, for people.
#ifndef ASSAY_BROKER_JOURNAL_PRINT_H_
#define ASSAY_BROKER_JOURNAL_PRINT_H_

#include <functional>
#include <ostream>
#include <string>
#include <string_view>

#include "assay/status.h"
#include "broker/journal/file_system.h"

namespace assay::journal {

// Says what a head means; the journal does not know.
using HeadRenderer = std::function<std::string(std::string_view head)>;

// Prints every segment, batch and entry of the journal in `directory` to `out`, one line each, and
// all damage at the end. Blobs are told by their length. Errors: as inspect().
Status print(FileSystem& file_system, const std::string& directory, std::ostream& out,
             const HeadRenderer& render);

}  // namespace assay::journal

#endif  // ASSAY_BROKER_JOURNAL_PRINT_H_
