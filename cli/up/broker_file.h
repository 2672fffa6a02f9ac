// The broker's configuration under `assay up`: a file that is written once and then the operator's.
#ifndef ASSAY_CLI_UP_BROKER_FILE_H_
#define ASSAY_CLI_UP_BROKER_FILE_H_

#include <string>

#include "assay/status.h"
#include "cli/up/data_directory.h"

namespace assay::cli {

// Sets `path` to `broker.yaml` in the directory. Where there is none yet it is made, with the
// nightly cleanup. Errors: `unwritable_directory`.
Status broker_file(const DataDirectory& directory, std::string& path);

}  // namespace assay::cli

#endif  // ASSAY_CLI_UP_BROKER_FILE_H_
