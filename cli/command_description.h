// The commands and their flags as plain values, for what is generated from them: shell completion
// and the manual page. Nothing is written down twice.
#ifndef ASSAY_CLI_COMMAND_DESCRIPTION_H_
#define ASSAY_CLI_COMMAND_DESCRIPTION_H_

#include <string>
#include <vector>

namespace assay::cli {

struct FlagDescription {
  std::vector<std::string> names;  // "--follow", "-f"; none for what has only a place
  std::string place;               // "file"; of what has no name
  std::string type;                // what its value is: FILE, DIR, N, TIME; empty: it takes none
  std::string help;
};

struct CommandDescription {
  std::string name;  // "assay" for what all commands take
  std::string help;
  std::vector<FlagDescription> flags;
};

// The first is "assay" itself.
std::vector<CommandDescription> describe_commands();

}  // namespace assay::cli

#endif  // ASSAY_CLI_COMMAND_DESCRIPTION_H_
