#include "cli/manual.h"

#include <algorithm>
#include <sstream>

namespace assay::cli {
namespace {

// Text in roff: hyphens that are ours stay hyphens, and nothing is taken for a request.
std::string roff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool at_line_start = out.empty() || out.back() == '\n';
    if (at_line_start && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

std::string usage(const CommandDescription& command) {
  std::string text = "assay " + command.name + " [flags]";
  for (const FlagDescription& flag : command.flags) {
    if (!flag.place.empty()) text += " " + flag.place;
  }
  return text;
}

// Those that `everywhere` has too are told once.
void print_flags(std::ostringstream& out, const CommandDescription& command,
                 const CommandDescription* everywhere) {
  for (const FlagDescription& flag : command.flags) {
    const auto same = [&](const FlagDescription& other) { return other.names == flag.names; };
    if (everywhere != nullptr && !flag.names.empty() &&
        std::any_of(everywhere->flags.begin(), everywhere->flags.end(), same)) {
      continue;
    }
    std::string title;
    for (const std::string& name : flag.names) title += (title.empty() ? "" : ", ") + name;
    if (flag.names.empty()) title = flag.place;
    out << ".TP\n\\fB" << roff(title) << "\\fR";
    if (!flag.type.empty() && !flag.names.empty()) out << " \\fI" << roff(flag.type) << "\\fR";
    out << "\n" << roff(flag.help) << "\n";
  }
}

constexpr const char* kStatuses =
    ".SH EXIT STATUS\n"
    ".TP\n\\fB0\\fR\ndone; the evaluation passed, the task succeeded\n"
    ".TP\n\\fB1\\fR\nanything that is not below: no broker, a full disk, detached before the end\n"
    ".TP\n\\fB2\\fR\nwrong usage, or a file that is no evaluation\n"
    ".TP\n\\fB3\\fR\nthe evaluation failed, or the task failed or is dead\n"
    ".TP\n\\fB4\\fR\nit was cancelled or timed out\n";

constexpr const char* kEnvironment =
    ".SH ENVIRONMENT\n"
    ".TP\n\\fBASSAY_BROKER\\fR, \\fBASSAY_FEED\\fR\nwhere the broker is; flags win\n"
    ".TP\n\\fBNO_COLOR\\fR\nno colour, whatever its value\n";

}  // namespace

std::string manual_page(const std::vector<CommandDescription>& commands,
                        const std::string& version) {
  std::ostringstream out;
  out << ".TH ASSAY 1 \"\" \"assay " << version << "\" \"User Commands\"\n"
      << ".SH NAME\nassay \\- submit and follow evaluations of AI models\n"
      << ".SH SYNOPSIS\n\\fBassay\\fR [\\fIflags\\fR] \\fIcommand\\fR [\\fIarguments\\fR]\n"
      << ".SH DESCRIPTION\n"
      << roff(commands.front().help) << "\n.SH FLAGS OF EVERY COMMAND\n";
  print_flags(out, commands.front(), nullptr);
  out << ".SH COMMANDS\n";
  for (std::size_t i = 1; i < commands.size(); ++i) {
    out << ".SS " << roff(usage(commands[i])) << "\n" << roff(commands[i].help) << ".\n";
    print_flags(out, commands[i], &commands.front());
  }
  out << kStatuses << kEnvironment;
  return out.str();
}

}  // namespace assay::cli
