#include "tests/support/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

namespace assay::support {

std::string program(const std::string& name) {
  const char* folder = std::getenv("ASSAY_BIN");
  return std::string(folder == nullptr ? "build/dev/bin" : folder) + "/" + name;
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "assay-test-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a folder in /tmp");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  if (testing::Test::HasFailure()) {
    std::cerr << "kept for a look: " << path_ << "\n";
    return;
  }
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Process::Process(std::vector<std::string> command, std::filesystem::path log,
                 bool ready_descriptor) {
  int ends[2] = {-1, -1};
  if (ready_descriptor) {
    if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    command.push_back("--ready-fd");
    command.push_back(std::to_string(ends[1]));
  }
  std::vector<char*> arguments;
  for (std::string& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const int output = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const pid_t parent = getpid();
  id_ = fork();
  if (id_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    if (ready_descriptor) fcntl(ends[1], F_SETFD, 0);
    execv(arguments[0], arguments.data());
    dprintf(STDERR_FILENO, "cannot start %s\n", arguments[0]);
    _exit(127);
  }
  close(output);
  if (ready_descriptor) {
    close(ends[1]);
    ready_ = ends[0];
  }
}

Process::~Process() {
  if (id_ > 0) kill();
  if (ready_ >= 0) close(ready_);
}

Process::Process(Process&& other) noexcept : id_(other.id_), ready_(other.ready_) {
  other.id_ = -1;
  other.ready_ = -1;
}

std::string Process::ready_line() {
  std::string line;
  char byte = 0;
  pollfd waiting{ready_, POLLIN, 0};
  while (poll(&waiting, 1, 20'000) > 0 && read(ready_, &byte, 1) == 1 && byte != '\n')
    line.push_back(byte);
  return line;
}

void Process::signal(int number) const {
  if (id_ > 0) ::kill(id_, number);
}

int Process::wait(std::chrono::milliseconds at_most) {
  int status = 0;
  const bool ended = eventually([&] { return waitpid(id_, &status, WNOHANG) == id_; }, at_most);
  if (!ended) return -1;
  id_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void Process::kill() {
  signal(SIGKILL);
  wait();
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

void pause_a_moment() {
  usleep(5000);
}

}  // namespace assay::support
