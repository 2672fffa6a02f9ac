// Where `assay up` keeps its data and logs.
#ifndef ASSAY_CLI_UP_DATA_DIRECTORY_H_
#define ASSAY_CLI_UP_DATA_DIRECTORY_H_

#include <filesystem>
#include <string>

#include "assay/status.h"

namespace assay::cli {

// A directory that belongs to one `assay up` while this lives.
class DataDirectory {
 public:
  // Makes it when it is missing. Errors: `unwritable_directory`, `directory_in_use` (conflict).
  static Result<DataDirectory> take(const std::string& wanted);
  DataDirectory(DataDirectory&& other) noexcept;
  DataDirectory& operator=(DataDirectory&&) = delete;
  ~DataDirectory();

  std::string operator/(const std::string& name) const { return path_ / name; }
  std::string log(const std::string& name) const { return path_ / "log" / (name + ".log"); }
  std::string path() const { return path_; }

 private:
  DataDirectory(std::filesystem::path path, int lock);
  std::filesystem::path path_;
  int lock_;
};

// $XDG_DATA_HOME/assay, ~/.local/share/assay, or .assay here when there is no home.
std::string default_data_directory();

}  // namespace assay::cli

#endif  // ASSAY_CLI_UP_DATA_DIRECTORY_H_
