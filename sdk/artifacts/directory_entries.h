// What lies in a folder of the store. For directory_store.cc and directory_names.cc only.
#ifndef ASSAY_SDK_ARTIFACTS_DIRECTORY_ENTRIES_H_
#define ASSAY_SDK_ARTIFACTS_DIRECTORY_ENTRIES_H_

#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "assay/ids.h"
#include "assay/status.h"

namespace assay::artifacts {

Time changed_at(const struct stat& facts);

// The names in a folder, sorted; none when there is no such folder.
Result<std::vector<std::string>> sorted_entries(const std::filesystem::path& folder);

}  // namespace assay::artifacts

#endif  // ASSAY_SDK_ARTIFACTS_DIRECTORY_ENTRIES_H_
