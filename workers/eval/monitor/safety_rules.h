// Words in a subject's log that people want to hear of, or that end it. Pure.
//
// A subject chooses what it prints, so such a rule finds the careless only. What it cannot choose
// (time, memory, output, exit status) is bounded elsewhere, whatever the rules say.
#ifndef ASSAY_WORKERS_EVAL_MONITOR_SAFETY_RULES_H_
#define ASSAY_WORKERS_EVAL_MONITOR_SAFETY_RULES_H_

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace assay::eval {

struct SafetyRule {
  std::string name;
  std::vector<std::string> contains;  // any of these, in a line; ASCII letters in either case
  bool stops = false;                 // else it is told, and the evaluation goes on
};

// One evaluation's. Each rule speaks once.
class SafetyWatch {
 public:
  struct Finding {
    std::string rule;
    bool stops = false;
    std::string line;  // at most 200 bytes of it
  };

  // `rules` must outlive it.
  explicit SafetyWatch(const std::vector<SafetyRule>& rules) : rules_(rules) {}
  // What the rules that have not spoken yet find in these lines. A line that was cut before is not
  // put together again.
  std::vector<Finding> look(std::string_view lines);

 private:
  const std::vector<SafetyRule>& rules_;
  std::set<std::string> spoken_;
};

}  // namespace assay::eval

#endif  // ASSAY_WORKERS_EVAL_MONITOR_SAFETY_RULES_H_
