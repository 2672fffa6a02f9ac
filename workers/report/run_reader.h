// From a result document's bytes to a Run. Never throws, whatever the bytes: what has the wrong
// type counts as absent.
#ifndef ASSAY_WORKERS_REPORT_RUN_READER_H_
#define ASSAY_WORKERS_REPORT_RUN_READER_H_

#include <string_view>

#include "workers/report/run.h"

namespace assay::report {

// Fills what the document tells. Tests are taken one by one while the text is read, so that 50,000
// of them never exist twice. False when it is no result document; the run then has none.
bool read_document(std::string_view text, Run& run);

}  // namespace assay::report

#endif  // ASSAY_WORKERS_REPORT_RUN_READER_H_
