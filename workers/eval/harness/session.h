// The harness's mind: what it says to the runner and to the executor, for everything that can
// happen. Pure: it knows no socket and no clock; `now` comes with every call, from a clock that
// only goes forward.
//
// Theory of operation. A session goes through connecting -> loading -> running -> finishing ->
// finished, and back to connecting whenever the subject is lost or breaks the protocol,
// `restarts_max` times at most. A test is pending, in flight or over. Only a test in flight on the
// present connection can get a result, and only one; its time is measured here. What was in flight
// when the subject was lost has crashed if it was alone; otherwise it is suspect, and runs again,
// alone, so that the guilty one is told from its neighbours.
#ifndef ASSAY_WORKERS_EVAL_HARNESS_SESSION_H_
#define ASSAY_WORKERS_EVAL_HARNESS_SESSION_H_

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "workers/eval/harness/pod_plan.h"

namespace assay::eval {

struct RunnerLine;  // one understood line of the runner; session.cc

// What the shell does next, in this order.
struct SessionEffects {
  std::vector<std::string> to_executor;  // lines for standard output, without their newlines
  std::vector<std::string> to_runner;    // lines for the socket, without their newlines
  bool disconnect = false;               // close the runner's connection, after sending
};

class Session {
 public:
  Session(PodPlan plan, Milliseconds now);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  SessionEffects on_listening(Milliseconds now);
  SessionEffects on_connected(Milliseconds now);
  SessionEffects on_line(std::string_view line, Milliseconds now);
  // The connection is gone: closed by the other side, or, with a reason, by the shell for a broken
  // rule.
  SessionEffects on_disconnected(std::string_view reason, Milliseconds now);
  SessionEffects on_time(Milliseconds now);

  // When on_time should be called at the latest.
  Milliseconds wake_at() const;
  bool finished() const { return phase_ == Phase::kFinished; }
  std::size_t line_bytes_max() const { return plan_.line_bytes_max; }

 private:
  enum class Phase { kConnecting, kLoading, kRunning, kFinishing, kFinished };
  enum class State { kPending, kInFlight, kOver };
  struct Test {
    std::string name;
    State state = State::kPending;
    bool streams = false;
    bool suspect = false;     // runs alone
    bool known = false;       // the subject, as loaded last, has it
    bool over_limit = false;  // killed for too many results, not for time
    Milliseconds started{0};
    Milliseconds last_partial{0};
    std::optional<Milliseconds> killed = std::nullopt;
  };

  // How a test ended that did not say so itself.
  struct Ending {
    std::string_view outcome;
    std::string reason;
    std::string_view detail = {};
    bool lost = false;  // with the whole subject
  };

  void on_loaded(const RunnerLine& line, Milliseconds now);
  void on_partial(const RunnerLine& line, Milliseconds now);
  void on_progress(const RunnerLine& line, Milliseconds now);
  void on_result(const RunnerLine& line, Milliseconds now);
  void on_ended(const RunnerLine& line, Milliseconds now);
  void on_output(const RunnerLine& line);
  bool adopt_tests(const RunnerLine& line);
  void start_tests(Milliseconds now);
  bool start_test(Test& test, Milliseconds now);
  void kill_test(Test& test, Milliseconds now);
  void check_tests(Milliseconds now);
  void finish_test(Test& test, const Ending& ending, Milliseconds now);
  Ending killed_ending(const Test& test) const;
  void lose_subject(std::string_view reason, Milliseconds now);
  void finish(std::string_view reason, std::string_view text, std::string_view detail,
              Milliseconds now);
  Test* in_flight(const std::string& name);
  Milliseconds connect_timeout() const;
  SessionEffects take();

  PodPlan plan_;
  Phase phase_ = Phase::kConnecting;
  Milliseconds deadline_;
  Milliseconds phase_since_;
  std::vector<Test> tests_;
  std::unordered_map<std::string, std::size_t> index_;
  bool tests_adopted_ = false;
  bool loaded_once_ = false;
  std::size_t next_ = 0;             // no test before it is pending and unsuspected
  std::vector<std::size_t> flying_;  // in flight
  std::size_t suspects_ = 0;         // pending ones
  std::size_t started_ = 0;
  std::size_t results_ = 0;
  std::size_t restarts_ = 0;
  Milliseconds progress_at_;
  std::vector<std::string> outputs_left_;
  SessionEffects effects_;
};

}  // namespace assay::eval

#endif  // ASSAY_WORKERS_EVAL_HARNESS_SESSION_H_
