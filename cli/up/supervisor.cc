#include "cli/up/supervisor.h"

#include <algorithm>
#include <csignal>
#include <utility>

#include "cli/text/duration.h"

namespace assay::cli {
namespace {

using std::chrono::steady_clock;

// A signal of a child wakes early; this bounds the wait for one that was merged with another.
constexpr Duration kLookEvery{500};
constexpr int kWrongConfiguration = 2;

}  // namespace

Supervisor::~Supervisor() {
  for (Program& program : programs_) {
    if (program.child) program.child->signal(SIGKILL);
  }
}

Supervisor::Program* Supervisor::find(const std::string& name) {
  const auto found = std::find_if(programs_.begin(), programs_.end(),
                                  [&](const Program& program) { return program.name == name; });
  return found == programs_.end() ? nullptr : &*found;
}

Status Supervisor::start(std::string name, ChildOptions options) {
  Program program;
  program.name = std::move(name);
  program.options = std::move(options);
  programs_.push_back(std::move(program));
  return start(programs_.back());
}

Status Supervisor::start(Program& program) {
  program.start_at.reset();
  program.started_at = steady_clock::now();
  Result<Child> child = Child::start(program.options);
  if (!child.is_ok()) return child.status();
  program.child = std::move(*child);
  return Status::ok();
}

void Supervisor::change(const std::string& name, ChildOptions options) {
  if (Program* program = find(name)) program->options = std::move(options);
}

void Supervisor::on_death(Program& program, const ChildEnd& end) {
  const std::string words = program.child->last_words();
  std::string text = program.name + " ended with " + end.text();
  const std::string last = words.substr(words.rfind('\n') + 1);
  if (!last.empty() && !last.starts_with('{')) text += ": " + last;
  if (end.exited && end.number == kWrongConfiguration) {
    program.given_up = true;
    console_.error(text + "; it is not started again. Its log: " + program.options.log_path);
    return;
  }
  const auto lasted = std::chrono::floor<Duration>(steady_clock::now() - program.started_at);
  const Duration delay = program.backoff.after_run(lasted);
  program.start_at = steady_clock::now() + delay;
  console_.error(text + "; started again in " + format_duration(delay));
}

void Supervisor::reap() {
  for (Program& program : programs_) {
    if (program.given_up || !program.child) continue;
    if (program.start_at) {
      if (steady_clock::now() < *program.start_at) continue;
      const Status status = start(program);
      if (status.is_ok()) continue;
      program.start_at = steady_clock::now() + program.backoff.after_run(Duration(0));
      console_.error(status.message());
      continue;
    }
    if (const auto end = program.child->ended()) on_death(program, *end);
  }
}

std::optional<int> Supervisor::look_after(Duration at_most) {
  const auto deadline = steady_clock::now() + at_most;
  do {
    const auto left = std::chrono::ceil<Duration>(deadline - steady_clock::now());
    const auto signal = interrupts_.next(std::clamp(left, Duration(0), kLookEvery));
    if (signal && *signal != SIGCHLD) return signal;
    reap();
  } while (steady_clock::now() < deadline);
  return std::nullopt;
}

std::optional<ChildEnd> Supervisor::ended(const std::string& name) {
  Program* program = find(name);
  if (program == nullptr || !program->child) return std::nullopt;
  return program->child->ended();
}

std::string Supervisor::last_words(const std::string& name) const {
  for (const Program& program : programs_) {
    if (program.name == name && program.child) return program.child->last_words();
  }
  return {};
}

bool Supervisor::wait_for_end(Program& program, steady_clock::time_point deadline) {
  while (!program.child->ended()) {
    if (steady_clock::now() >= deadline) return false;
    const auto signal = interrupts_.next(kLookEvery / 5);
    if (signal && *signal != SIGCHLD) return false;
  }
  return true;
}

bool Supervisor::stop(Duration at_most) {
  const auto deadline = steady_clock::now() + at_most;
  bool drained = true;
  // The first is what the others report to: it goes last.
  const auto first = programs_.empty() ? programs_.end() : programs_.begin() + 1;
  for (auto program = first; program != programs_.end(); ++program) {
    if (program->child) program->child->signal(SIGTERM);
  }
  for (auto program = first; program != programs_.end(); ++program) {
    drained = end(*program, drained, deadline) && drained;
  }
  if (programs_.empty()) return drained;
  if (drained && programs_.front().child) programs_.front().child->signal(SIGTERM);
  return end(programs_.front(), drained, deadline) && drained;
}

bool Supervisor::end(Program& program, bool gently, steady_clock::time_point deadline) {
  if (!program.child) return true;
  if (gently && wait_for_end(program, deadline)) return true;
  if (program.child->ended()) return true;
  program.child->signal(SIGKILL);
  wait_for_end(program, steady_clock::now() + std::chrono::seconds(5));
  return false;
}

}  // namespace assay::cli
