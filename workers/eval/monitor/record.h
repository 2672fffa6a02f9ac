// What is known of an evaluation while its pods run: progress now, the result document at the end.
// Pure.
#ifndef ASSAY_WORKERS_EVAL_MONITOR_RECORD_H_
#define ASSAY_WORKERS_EVAL_MONITOR_RECORD_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "assay/evaluation.h"
#include "assay/task.h"
#include "workers/eval/executor/pod_events.h"

namespace assay::eval {

inline constexpr std::size_t kDocumentBytesMax = 12U << 20;

// One line of the document's `tests`.
struct TestRecord {
  std::string name;
  std::string of;  // the streaming test whose partial result this is; or empty
  std::string outcome;
  std::optional<double> score;
  double seconds = 0;
  std::string reason;
  std::string metrics = "{}";  // JSON
  std::string detail;
  std::size_t pod = 0;
};

struct PodRecord {
  std::size_t tests = 0;  // planned; 0 when that was not known
  std::uint32_t launches = 0;
  std::uint32_t starts = 0;  // of the subject, over all launches
  std::string ended;  // the harness's last word: done, load_failed, deadline, gave_up; or empty
  std::string text;   // why
  std::string detail;
  std::string limit;    // that ended its subject last
  std::string failure;  // of the pod itself
  std::vector<std::string> not_run;
  PodUsage usage;
  std::string log;
  std::string isolation = {};  // "isolated", "not isolated"; or empty: the sandbox is the proof
  std::string canary = {};     // what it found, JSON
};

struct OutputFile {
  std::string path;
  std::size_t pod = 0;
  std::string content_base64;
  bool left_out = false;  // its content was too much
};

// Numbers over tests, of which more may be counted than are kept.
struct Tally {
  std::map<std::string, std::uint64_t> by_outcome;
  double score_sum = 0;  // of those with a score or a verdict (passed 1, failed 0)
  std::uint64_t scored = 0;

  void add(const TestRecord& test);
  void add(const Tally& other);
};

struct ProgressNow {
  std::uint64_t done = 0;
  std::uint64_t total = 0;  // 0 while it is not known
  std::string text;
};

class EvaluationRecord {
 public:
  // A pod will run so many tests; 0: that is not known.
  void on_plan(std::size_t pod, std::size_t tests);
  // It begins, perhaps again: what tests it did not end had given so far is forgotten, for they
  // will give it again.
  void on_launch(std::size_t pod);
  // Log events are not for the record: they are passed on.
  void on_event(const PodEvent& event);

  // Whether something changed that is worth telling since the last call. The text:
  //   12 passed, 2 failed; test 15 of 200: test_refuses
  //   failed test_b: expected 'no', found 'yes'
  // which `assay eval` takes apart (cli/progress_text.h).
  std::optional<ProgressNow> take_progress();
  // Of a discovery, or of a pod that was to run whatever there is.
  const std::optional<std::vector<std::string>>& discovered() const { return discovered_; }
  bool has_result(const std::string& test) const { return finished_.contains(test); }
  // Some pod's subject could not be loaded: the others' can't be either.
  bool load_failed() const;
  // Every pod's subject came to its end by itself.
  bool may_be_graded() const;
  // From here on only what the grader's pod says counts: what the subject's tests said is
  // forgotten, its pods and outputs are not.
  void begin_grading();

  const std::vector<TestRecord>& tests() const { return tests_; }
  const std::map<std::size_t, PodRecord>& pods() const { return pods_; }
  const std::vector<OutputFile>& outputs() const { return outputs_; }
  // Over all tests that were reported, kept or not.
  Tally tally() const;
  // Results that there was no room for.
  std::uint64_t not_kept() const { return not_kept_; }
  // Details were left out to bound what is kept.
  bool details_dropped() const { return details_dropped_; }
  // Forgets a discovery's pod, so that the pods proper begin from nothing.
  void forget_pods();

 private:
  // A test with partial results.
  struct Streamed {
    std::size_t pod = 0;
    bool said_no = false;  // one of them did
    Tally tally;
    std::uint64_t not_kept = 0;
  };

  void on_line(std::size_t pod, const std::string& line);
  void add_test(TestRecord test);
  void forget_unfinished(std::size_t pod);
  // How far it is, and what runs.
  ProgressNow steps() const;

  std::vector<TestRecord> tests_;
  std::map<std::size_t, PodRecord> pods_;
  std::vector<OutputFile> outputs_;
  std::size_t output_bytes_ = 0;
  std::optional<std::vector<std::string>> discovered_;
  std::set<std::string> finished_;
  std::map<std::string, Streamed> streamed_;
  std::map<std::size_t, std::string> limit_now_;  // by pod: what has just ended its subject
  std::size_t detail_bytes_ = 0;
  std::uint64_t not_kept_ = 0;
  bool details_dropped_ = false;
  bool changed_ = false;
  ProgressNow inner_;  // of the test that reported progress last
  std::string current_;
  Tally whole_;               // of all tests but the partial results, which are in streamed_
  std::string last_trouble_;  // the last that did not pass, and why
};

// How it all ended.
struct Verdict {
  std::string status;  // passed, failed, error, timeout, cancelled
  std::string reason;
  Cause cause = Cause::kNone;
  bool again = false;  // it was not the subject's doing: the task is to be run again
};

struct Counts {
  std::uint64_t total = 0;
  std::map<std::string, std::uint64_t> by_outcome;
};
Counts count_tests(const EvaluationRecord& record);
// Over all tests with a score or a verdict (passed 1, failed 0); nothing when there is none.
std::optional<double> mean_score(const EvaluationRecord& record);

Verdict judge(const Evaluation& evaluation, const EvaluationRecord& record, bool cancelled,
              bool out_of_time);

// What the document tells beside the record.
struct DocumentFacts {
  const Evaluation* evaluation = nullptr;
  Time started_at{};
  Time ended_at{};
  std::string plan;      // why it was planned so
  std::string executor;  // "local"
  std::string model;
  std::string endpoint;
  std::map<std::string, std::uint64_t> requests;  // to each endpoint
};
// The result document (docs/results.md), at most kDocumentBytesMax long: what is left out is named
// in it.
std::string make_document(const EvaluationRecord& record, const Verdict& verdict,
                          const DocumentFacts& facts);

}  // namespace assay::eval

#endif  // ASSAY_WORKERS_EVAL_MONITOR_RECORD_H_
