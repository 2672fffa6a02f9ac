// Reads segments that nobody appends to any more: those before the one in use, and checkpoints.
// Changes nothing, and takes no lock. Must not know: what entries mean.
#ifndef ASSAY_BROKER_JOURNAL_SEALED_H_
#define ASSAY_BROKER_JOURNAL_SEALED_H_

#include <cstdint>
#include <functional>
#include <string>

#include "assay/status.h"
#include "broker/journal/file_system.h"
#include "broker/journal/format.h"
#include "broker/journal/journal.h"

namespace assay::journal {

// A Status that is not ok ends the reading with it.
using EntryVisitor = std::function<Status(const EntryView&)>;

// How the last of them must end.
enum class SealedEnd : std::uint8_t {
  kSealed,  // there are later ones
  kClosed,  // it is the journal's last, and was closed in good order
  kAny,     // a repair may have given up its end
};

// Tells every entry of the segments `first` to `last` of the journal in `directory`, in order. All
// must be sealed but the last, which must end as `end` says: nothing is missing. Answers how many
// bytes they have. Errors: kReasonDamaged, kReasonVersion, those of the file system, those of the
// visitor.
Result<std::uint64_t> read_sealed(FileSystem& file_system, const std::string& directory,
                                  const Manifest& manifest, std::uint32_t first, std::uint32_t last,
                                  SealedEnd end, const EntryVisitor& visit);

}  // namespace assay::journal

#endif  // ASSAY_BROKER_JOURNAL_SEALED_H_
