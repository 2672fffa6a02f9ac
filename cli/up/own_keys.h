// The keys of `assay up --secure`: made once, kept in its data directory.
#ifndef ASSAY_CLI_UP_OWN_KEYS_H_
#define ASSAY_CLI_UP_OWN_KEYS_H_

#include <string>
#include <vector>

#include "assay/status.h"

namespace assay::cli {

// Thread: one.
class OwnKeys {
 public:
  // Makes, in `folder`, a pair for the broker and for each of `names` that has none, and puts the
  // public ones of the latter into the folder known/. A file that somebody removed from there stays
  // away. Errors: those of write_key_files.
  static Result<OwnKeys> make(const std::string& folder, const std::vector<std::string>& names);

  std::string key_file(const std::string& name) const { return folder_ + "/" + name + ".key"; }
  std::string server_key() const { return folder_ + "/broker.pub"; }
  std::string known_keys() const { return folder_ + "/known"; }

 private:
  explicit OwnKeys(std::string folder) : folder_(std::move(folder)) {}
  std::string folder_;
};

}  // namespace assay::cli

#endif  // ASSAY_CLI_UP_OWN_KEYS_H_
