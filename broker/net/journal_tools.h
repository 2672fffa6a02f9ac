// What assay-broker does with a journal instead of serving: verify, repair, print, back up.
#ifndef ASSAY_BROKER_NET_JOURNAL_TOOLS_H_
#define ASSAY_BROKER_NET_JOURNAL_TOOLS_H_

#include <string>

namespace assay::net {

struct JournalTools {
  bool verify = false;
  bool repair = false;
  bool print = false;
  std::string backup;  // a directory to copy to

  bool any() const { return verify || repair || print || !backup.empty(); }
};

// Does what was asked for with the journal in `data_dir`, and tells it on standard output. Returns
// the exit status: 0 when the journal is intact (or is so now), 1 when it is damaged or the tool
// failed.
int run_journal_tools(const JournalTools& tools, const std::string& data_dir);

}  // namespace assay::net

#endif  // ASSAY_BROKER_NET_JOURNAL_TOOLS_H_
