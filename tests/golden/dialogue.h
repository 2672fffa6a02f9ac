// Golden dialogues: a text file of commands to the broker's core and, after `----`, everything that
// the core does about them: records, messages, events. What is not printed did not happen.
//
//   worker w1 queue=eval slots=1
//   submit c1 task=1 queue=eval
//   ----
//   append TaskSubmitted task=1 queue=eval priority=5
//   ...
//
// Each command is a loop turn of its own: the command's event, then the Tick that ends the turn.
// Commands before one
// `----` share one output. A blank line ends the output. Lines that begin with # are comments.
#ifndef ASSAY_TESTS_GOLDEN_DIALOGUE_H_
#define ASSAY_TESTS_GOLDEN_DIALOGUE_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/core/broker_core.h"

namespace assay::golden {

// One command's words: `verb first key=value key=value`.
struct Command {
  std::string verb;
  std::string peer;
  std::multimap<std::string, std::string> values;

  std::string get(const std::string& key, const std::string& otherwise = {}) const;
  std::uint64_t number(const std::string& key, std::uint64_t otherwise) const;
  std::vector<std::string> all(const std::string& key) const;
};

Command parse_command(const std::string& line);

// Prints ids as small numbers and times as seconds since the dialogue began.
std::string print(const core::Append& append);
std::string print(const std::string& peer, const Message& message);
std::string print(const FeedEvent& event);
TaskId task_id(std::uint64_t number);
Time start_of_dialogue();

class Dialogue {
 public:
  Dialogue();
  // Runs one command and returns what the core did, a line each.
  // Sets `wrong` when an invariant no longer holds or the command is not understood.
  std::string run(const std::string& line, std::string& wrong);

 private:
  void set_schedule(const Command& command, std::string& wrong);
  Message message_of(const Command& command, core::Door& door, std::string& wrong);
  core::PeerId peer_of(const std::string& name);
  std::string settle(core::Effects& effects, std::string& wrong);
  std::string restart(core::Effects& effects, std::string& wrong);

  core::CoreOptions options_;
  std::unique_ptr<core::BrokerCore> core_;
  Time now_;
  Duration wall_ahead_{0};
  std::uint64_t peers_ = 0;
  std::map<std::string, core::PeerId> peer_ids_;
  std::map<core::PeerId, std::string> peer_names_;
  std::vector<std::pair<core::Record, core::Location>> journal_;
  bool show_feed_ = false;
};

}  // namespace assay::golden

#endif  // ASSAY_TESTS_GOLDEN_DIALOGUE_H_
