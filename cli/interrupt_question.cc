#include "cli/interrupt_question.h"

#include <poll.h>
#include <unistd.h>

#include <array>

namespace assay::cli {
namespace {

// The first letter of the line that the terminal gives; nothing when a signal comes or the input
// ends.
std::optional<char> answered_letter(Interrupts& interrupts) {
  std::array<pollfd, 2> waiting{{{STDIN_FILENO, POLLIN, 0}, {interrupts.descriptor(), POLLIN, 0}}};
  if (poll(waiting.data(), waiting.size(), -1) < 0) return std::nullopt;
  if (interrupts.next()) return std::nullopt;
  std::array<char, 256> line{};
  const ssize_t length = read(STDIN_FILENO, line.data(), line.size());
  if (length <= 0) return std::nullopt;
  return line[0];
}

}  // namespace

OnInterrupt ask_after_interrupt(int signal, Interrupts& interrupts, Console& console) {
  if (signal != SIGINT || !console.live() || isatty(STDIN_FILENO) != 1) return OnInterrupt::kDetach;
  while (true) {
    console.write("Cancel it [c], detach and let it run [d], or go on following [Enter]? ");
    console.flush();
    const std::optional<char> letter = answered_letter(interrupts);
    if (!letter) {
      console.write("\n");
      return OnInterrupt::kDetach;
    }
    switch (*letter) {
      case 'c':
      case 'C':
        return OnInterrupt::kCancel;
      case 'd':
      case 'D':
        return OnInterrupt::kDetach;
      case '\n':
        return OnInterrupt::kGoOn;
      default:
        break;  // asked again
    }
  }
}

}  // namespace assay::cli
