// What to do when Ctrl-C comes while a task is followed.
#ifndef ASSAY_CLI_INTERRUPT_QUESTION_H_
#define ASSAY_CLI_INTERRUPT_QUESTION_H_

#include <cstdint>

#include "cli/console.h"
#include "cli/interrupts.h"

namespace assay::cli {

enum class OnInterrupt : std::uint8_t { kGoOn, kDetach, kCancel };

// `signal` is the one that came. SIGTERM, or no person at a terminal: detach, without a question. A
// second signal while the question stands detaches too, so that Ctrl-C twice always leaves.
OnInterrupt ask_after_interrupt(int signal, Interrupts& interrupts, Console& console);

}  // namespace assay::cli

#endif  // ASSAY_CLI_INTERRUPT_QUESTION_H_
