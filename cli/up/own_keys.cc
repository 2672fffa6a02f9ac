#include "cli/up/own_keys.h"

#include <filesystem>
#include <system_error>

#include "sdk/keys/key_file.h"

namespace assay::cli {

namespace fs = std::filesystem;

Result<OwnKeys> OwnKeys::make(const std::string& folder, const std::vector<std::string>& names) {
  OwnKeys made(folder);
  std::error_code error;
  fs::create_directories(made.known_keys(), error);
  if (!error) fs::permissions(folder, fs::perms::owner_all, error);
  const auto ensure = [&](const std::string& name, bool is_known) {
    if (error || fs::exists(made.key_file(name))) return Status::ok();
    Status status = keys::write_key_files(keys::make_key_pair(name), folder);
    if (status.is_ok() && is_known) {
      fs::copy_file(folder + "/" + name + ".pub", made.known_keys() + "/" + name + ".pub", error);
    }
    return status;
  };
  Status status = ensure("broker", false);
  for (const std::string& name : names) {
    if (status.is_ok()) status = ensure(name, true);
  }
  if (!status.is_ok()) return status;
  if (error) {
    return fix_input("unwritable_file", "cannot keep keys in '" + folder + "': " + error.message());
  }
  return made;
}

}  // namespace assay::cli
