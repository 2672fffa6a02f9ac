// assay keygen: a key pair in two files.
#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/json_forms.h"
#include "sdk/keys/key_file.h"

namespace assay::cli {

ExitCode run(const KeygenOptions& options, const GlobalOptions& global, Console& console) {
  const keys::KeyPair pair = keys::make_key_pair(options.name);
  const Status status = keys::write_key_files(pair, options.directory);
  if (!status.is_ok()) return report(console, global, status);
  const std::string base =
      (options.directory.empty() ? "" : options.directory + "/") + options.name;
  if (global.json) {
    console.print(
        key_to_json(options.name, keys::to_hex(pair.public_key), base + ".key", base + ".pub"));
    return ExitCode::kOk;
  }
  console.print(base + ".key  the secret: keep it, and name it with --key or ASSAY_KEY");
  console.print(base + ".pub  the public one: for the known_keys of a broker");
  return ExitCode::kOk;
}

}  // namespace assay::cli
