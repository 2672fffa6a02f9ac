// A real program run by a test: started, waited for, killed. Its output goes to a file that is kept
// when the test fails.
#ifndef ASSAY_TESTS_SUPPORT_PROCESS_H_
#define ASSAY_TESTS_SUPPORT_PROCESS_H_

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace assay::support {

// The program of this build with that name, for example "assay-broker".
std::string program(const std::string& name);

// A folder of the test's own, removed at its end unless the test has failed: then its path is
// printed.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::filesystem::path path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class Process {
 public:
  // Starts `command`, whose first word is the program; standard output and error go to `log`,
  // appended. With `ready_descriptor`, the program is given `--ready-fd N` and ready_line() tells
  // what it wrote there.
  Process(std::vector<std::string> command, std::filesystem::path log,
          bool ready_descriptor = false);
  ~Process();  // kills it
  Process(Process&& other) noexcept;
  Process& operator=(Process&&) = delete;

  // The line that the program wrote to its ready descriptor; empty when it ended instead.
  std::string ready_line();
  void signal(int number) const;
  // Waits for its end: the exit status, or 128 + the signal; -1 when it still runs after `at_most`.
  int wait(std::chrono::milliseconds at_most = std::chrono::seconds(20));
  void kill();  // SIGKILL, and waits
  pid_t id() const { return id_; }

 private:
  pid_t id_ = -1;
  int ready_ = -1;
};

// Waits until `condition` holds; false when it does not within `at_most`.
template <typename Condition>
bool eventually(Condition condition, std::chrono::milliseconds at_most = std::chrono::seconds(20));

std::string read_file(const std::filesystem::path& path);
void pause_a_moment();

template <typename Condition>
bool eventually(Condition condition, std::chrono::milliseconds at_most) {
  const auto deadline = std::chrono::steady_clock::now() + at_most;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    pause_a_moment();
  }
  return true;
}

}  // namespace assay::support

#endif  // ASSAY_TESTS_SUPPORT_PROCESS_H_
