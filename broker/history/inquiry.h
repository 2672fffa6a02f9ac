// What the history knows of a request that the core passed on. Must not know: threads, memory.
#ifndef ASSAY_BROKER_HISTORY_INQUIRY_H_
#define ASSAY_BROKER_HISTORY_INQUIRY_H_

#include "assay/message.h"
#include "assay/status.h"
#include "broker/core/event.h"
#include "broker/history/reader.h"

namespace assay::history {

// Never fails: what went wrong is the answer's status. `reader` may be why there is none.
// Thread: the reader's.
core::HistoryAnswer answer(Result<Reader*> reader, const Message& request);

}  // namespace assay::history

#endif  // ASSAY_BROKER_HISTORY_INQUIRY_H_
