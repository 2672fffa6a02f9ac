// How every program gets its settings: FILE.yaml of --config, then ASSAY_... environment variables,
// then flags; later ones win. A setting is described once, bound to the variable that it fills:
//
//   struct Settings { std::string data_dir = "/var/lib/assay"; Duration lease{10s}; };
//
//   int main(int argc, char** argv) {
//     Settings settings;
//     const auto exit_status = config::read_settings(
//         {"assay-broker", "Holds the queues; gives tasks to workers."}, argc, argv,
//         [&](config::Options& options) {
//           options.text("data_dir", settings.data_dir, "where the journal lives");
//           options.duration("lease", settings.lease, "silence that loses tasks", {1s, 10min});
//           options.in_file([&](config::Map& map) { map.named("queues", ...); });
//         });
//     if (exit_status) return *exit_status;
//     ...
//
// The key data_dir is data_dir in the file, ASSAY_DATA_DIR in the environment, --data-dir as a
// flag. Every program also has --config, --check-config, --version, --help and the settings
// log_level and log_form, which take effect before read_settings returns.
#ifndef ASSAY_SDK_CONFIG_PROGRAM_OPTIONS_H_
#define ASSAY_SDK_CONFIG_PROGRAM_OPTIONS_H_

#include <concepts>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sdk/config/strict_yaml.h"

namespace assay::config {

// Exit statuses of every program (docs: 0 clean, 2 bad usage or configuration, 1 anything else).
inline constexpr int kExitBadUsage = 2;

struct Program {
  std::string name;         // "assay-broker"
  std::string description;  // one sentence
};

// One setting, whichever way it comes. The text it is given is from the environment or a flag.
struct Option {
  std::string key;
  std::string description;
  std::string form;        // for --help: "DURATION"
  std::string initial;     // for --help: "10s"
  bool is_switch = false;  // as a flag it needs no value
  std::function<Status(const std::string& text)> set;
  std::function<void(Map&)> read;  // from the file
};

// Gathers the settings of a program. The variables must outlive read_settings.
class Options {
 public:
  void text(const std::string& key, std::string& value, std::string description);
  void boolean(const std::string& key, bool& value, std::string description);
  void number(const std::string& key, double& value, std::string description, Numbers range = {});
  void duration(const std::string& key, Duration& value, std::string description,
                Durations range = {});
  void bytes(const std::string& key, std::uint64_t& value, std::string description,
             Sizes range = {});
  // A list in the file; words with commas between them elsewhere.
  void texts(const std::string& key, std::vector<std::string>& values, std::string description);
  void choice(const std::string& key, std::string& value, std::string description,
              const std::vector<std::string>& choices);
  template <std::integral T>
  void integer(const std::string& key, T& value, const std::string& description,
               Integers range = {}) {
    using Limits = std::numeric_limits<T>;
    if (std::cmp_greater(Limits::lowest(), range.min)) range.min = Limits::lowest();
    if (std::cmp_less(Limits::max(), range.max))
      range.max = static_cast<std::int64_t>(Limits::max());
    add_integer(key, static_cast<std::int64_t>(value), description, range,
                [&value](std::int64_t number) { value = static_cast<T>(number); });
  }

  // What has no form outside the file: nested maps and lists.
  void in_file(Map::Read read) { file_reads_.push_back(std::move(read)); }
  // Runs when all values are there; what it answers that is not ok is one more mistake.
  void check(std::function<Status()> check) { checks_.push_back(std::move(check)); }

  const std::vector<Option>& all() const { return all_; }
  const std::vector<Map::Read>& file_reads() const { return file_reads_; }
  const std::vector<std::function<Status()>>& checks() const { return checks_; }

 private:
  void add_integer(const std::string& key, std::int64_t initial, std::string description,
                   Integers range, const std::function<void(std::int64_t)>& assign);

  std::vector<Option> all_;
  std::vector<Map::Read> file_reads_;
  std::vector<std::function<Status()>> checks_;
};

// Fills the variables that `describe` binds and starts the log. Returns nothing when the program
// should go on; else the status to exit with: 0 after --help, --version and a --check-config that
// found nothing, 2 after bad usage or configuration. What is to be said has been printed by then,
// every mistake with its place. Thread: before any other is started (it reads the environment).
std::optional<int> read_settings(const Program& program, int argc, const char* const* argv,
                                 const std::function<void(Options&)>& describe);

// Reads the settings again while the program runs, from the same file, environment and flags, into
// the variables that `describe` binds, which should be others than those in use: on an error some
// are filled. The log's level takes effect. Errors: `invalid_setting` (fix_input): every mistake
// with its place, one a line. Thread: one; the environment must not be changed meanwhile.
Status reread_settings(const Program& program, int argc, const char* const* argv,
                       const std::function<void(Options&)>& describe);

// The keys whose values differ between two sets of settings that one function describes.
std::vector<std::string> different_keys(const Options& before, const Options& after);

}  // namespace assay::config

#endif  // ASSAY_SDK_CONFIG_PROGRAM_OPTIONS_H_
