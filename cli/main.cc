// The `assay` command: reads the arguments and hands them to the command that was asked for.
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "cli/commands/commands.h"
#include "cli/console.h"

namespace {

using assay::cli::Answer;
using assay::cli::Console;
using assay::cli::ExitCode;
using assay::cli::Invocation;

ExitCode run(std::vector<std::string> arguments, Console& console) {
  auto parsed = assay::cli::parse_arguments(std::move(arguments));
  if (const auto* answer = std::get_if<Answer>(&parsed)) {
    if (answer->code == ExitCode::kOk) {
      console.write(answer->text);
    } else {
      console.error(answer->text);
    }
    return answer->code;
  }
  const auto& invocation = std::get<Invocation>(parsed);
  return std::visit(
      [&](const auto& options) { return assay::cli::run(options, invocation.global, console); },
      invocation.command);
}

}  // namespace

int main(int argc, char** argv) {
  Console console = Console::standard();
  try {
    const ExitCode code = run({argv + 1, argv + argc}, console);
    if (console.flush()) return static_cast<int>(code);
    console.error("standard output could not be written");
  } catch (const std::exception& error) {
    // What libraries throw for lack of memory or descriptors; ours are values.
    console.error(error.what());
  }
  return static_cast<int>(ExitCode::kError);
}
