// Records as bytes: the `head` of a journal entry. docs/journal.md lists the fields in their order.
// A field may be added at the end of a record: bytes written before lack it and read as its
// default. None is ever removed or given another meaning.
#ifndef ASSAY_BROKER_JOURNAL_RECORD_CODEC_H_
#define ASSAY_BROKER_JOURNAL_RECORD_CODEC_H_

#include <string>
#include <string_view>

#include "assay/status.h"
#include "broker/core/record.h"

namespace assay::journal {

// Appends the record's bytes to `out`. Thread: any.
void encode_record(const core::Record& record, std::string& out);

// Errors: `unknown_record` (data_loss: a type that this version does not have), `malformed_record`
// (data_loss). Never reads past `head`, whatever it holds. Thread: any.
Result<core::Record> decode_record(std::string_view head);

// One line for people, for the journal's printer. Thread: any.
std::string describe_record(const core::Record& record);

}  // namespace assay::journal

#endif  // ASSAY_BROKER_JOURNAL_RECORD_CODEC_H_
