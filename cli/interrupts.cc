#include "cli/interrupts.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "assay/status.h"

namespace assay::cli {

Interrupts::Interrupts(int another) {
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGINT);
  sigaddset(&wanted, SIGTERM);
  if (another != 0) sigaddset(&wanted, another);
  ASSAY_ASSERT(pthread_sigmask(SIG_BLOCK, &wanted, &before_) == 0);
  descriptor_ = signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC);
  ASSAY_ASSERT(descriptor_ >= 0);
}

Interrupts::~Interrupts() {
  // What came and was not asked for counts as answered: the process must not die of it after all.
  while (next()) {
  }
  close(descriptor_);
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

std::optional<int> Interrupts::next(Duration timeout) {
  pollfd waiting{descriptor_, POLLIN, 0};
  if (poll(&waiting, 1, static_cast<int>(timeout.count())) <= 0) return std::nullopt;
  signalfd_siginfo info{};
  if (read(descriptor_, &info, sizeof(info)) != sizeof(info)) return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

}  // namespace assay::cli
