#include "cli/completion.h"

#include <map>
#include <set>
#include <sstream>

namespace assay::cli {
namespace {

// Values that are few and known, by the flag, or by the command for what stands without one.
const std::map<std::string, std::string>& known_words() {
  static const std::map<std::string, std::string> words{
      {"--state", "waiting queued running succeeded failed dead cancelled"},
      {"--on-failure", "cancel run"},
      {"artifacts", "list get put"},
      {"dead", "list retry drop"},
      {"completion", "bash zsh"}};
  return words;
}

std::string joined(const std::set<std::string>& words, const char* between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

bool takes_file(const CommandDescription& command) {
  for (const FlagDescription& flag : command.flags) {
    if (flag.place == "file") return true;
  }
  return false;
}

// The flags of each kind of value, over all commands: a flag means the same everywhere.
struct Values {
  std::set<std::string> files;
  std::set<std::string> directories;
  std::set<std::string> others;  // nothing can be offered
};

Values values_of(const std::vector<CommandDescription>& commands) {
  Values values;
  for (const CommandDescription& command : commands) {
    for (const FlagDescription& flag : command.flags) {
      if (flag.type.empty()) continue;
      for (const std::string& name : flag.names) {
        if (known_words().contains(name)) continue;
        if (flag.type == "FILE") {
          values.files.insert(name);
        } else if (flag.type == "DIR") {
          values.directories.insert(name);
        } else {
          values.others.insert(name);
        }
      }
    }
  }
  return values;
}

std::set<std::string> flag_names(const CommandDescription& command) {
  std::set<std::string> names;
  for (const FlagDescription& flag : command.flags) {
    for (const std::string& name : flag.names) {
      if (name.starts_with("--")) names.insert(name);
    }
  }
  return names;
}

std::string without(std::string text, const std::string& characters) {
  std::erase_if(text, [&](char c) { return characters.find(c) != std::string::npos; });
  return text;
}

// One flag as zsh's _arguments reads it: '--name[help]:type:action'.
std::string zsh_flag(const std::string& name, const FlagDescription& flag) {
  std::string text = "'*" + name + "[" + without(flag.help, "[]':\\") + "]";
  if (!flag.type.empty()) {
    text += ":" + without(flag.type, "':") + ":";
    const auto words = known_words().find(name);
    if (words != known_words().end()) {
      text += "(" + words->second + ")";
    } else if (flag.type == "FILE") {
      text += "_files";
    } else if (flag.type == "DIR") {
      text += "_files -/";
    }
  }
  return text + "'";
}

}  // namespace

std::string bash_completion(const std::vector<CommandDescription>& commands) {
  std::set<std::string> names;
  for (std::size_t i = 1; i < commands.size(); ++i) names.insert(commands[i].name);
  const Values values = values_of(commands);
  std::ostringstream out;
  out << "# bash completion for assay; made by 'assay completion bash'.\n"
         "_assay() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
         "  local command= words= word\n"
         "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "    case $word in\n"
         "      "
      << joined(names, "|")
      << ") command=$word; break ;;\n"
         "    esac\n"
         "  done\n"
         "  case $previous in\n";
  if (!values.files.empty()) {
    out << "    " << joined(values.files, "|")
        << ") compopt -o filenames; COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n";
  }
  if (!values.directories.empty()) {
    out << "    " << joined(values.directories, "|")
        << ") compopt -o filenames; COMPREPLY=($(compgen -d -- \"$current\")); return ;;\n";
  }
  for (const auto& [flag, words] : known_words()) {
    if (flag.starts_with("--")) {
      out << "    " << flag << ") COMPREPLY=($(compgen -W '" << words
          << "' -- \"$current\")); return ;;\n";
    }
  }
  out << "    " << joined(values.others, "|") << ") return ;;\n"
      << "  esac\n"
         "  local flags='"
      << joined(flag_names(commands.front()), " ")
      << "'\n"
         "  case $command in\n"
         "    '') words='"
      << joined(names, " ") << "' ;;\n";
  std::set<std::string> with_files;
  for (std::size_t i = 1; i < commands.size(); ++i) {
    const CommandDescription& command = commands[i];
    const auto words = known_words().find(command.name);
    out << "    " << command.name << ") flags='" << joined(flag_names(command), " ") << "' words='"
        << (words == known_words().end() ? "" : words->second) << "' ;;\n";
    if (takes_file(command)) with_files.insert(command.name);
  }
  out << "  esac\n"
         "  [[ $current != -* ]] || words=$flags\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n";
  if (!with_files.empty()) {
    out << "  case $command in\n    " << joined(with_files, "|")
        << ")\n      if [[ $current != -* ]]; then\n"
           "        compopt -o filenames\n"
           "        COMPREPLY=($(compgen -f -- \"$current\"))\n"
           "      fi ;;\n"
           "  esac\n";
  }
  out << "}\ncomplete -F _assay assay\n";
  return out.str();
}

std::string zsh_completion(const std::vector<CommandDescription>& commands) {
  std::ostringstream out;
  out << "#compdef assay\n"
         "# zsh completion for assay; made by 'assay completion zsh'.\n"
         "_assay() {\n"
         "  local -a commands\n"
         "  commands=(\n";
  for (std::size_t i = 1; i < commands.size(); ++i) {
    out << "    '" << commands[i].name << ":" << without(commands[i].help, "':\\") << "'\n";
  }
  out << "  )\n"
         "  local context state state_descr line\n"
         "  typeset -A opt_args\n"
         "  _arguments -C \\\n";
  for (const FlagDescription& flag : commands.front().flags) {
    for (const std::string& name : flag.names) out << "    " << zsh_flag(name, flag) << " \\\n";
  }
  out << "    '1:command:->command' '*::argument:->argument'\n"
         "  case $state in\n"
         "    command) _describe command commands ;;\n"
         "    argument)\n"
         "      case $words[1] in\n";
  for (std::size_t i = 1; i < commands.size(); ++i) {
    const CommandDescription& command = commands[i];
    out << "        " << command.name << ") _arguments";
    for (const FlagDescription& flag : command.flags) {
      for (const std::string& name : flag.names) out << " \\\n          " << zsh_flag(name, flag);
    }
    const auto words = known_words().find(command.name);
    if (words != known_words().end()) out << " \\\n          '1:what:(" << words->second << ")'";
    if (takes_file(command)) out << " \\\n          '1:file:_files'";
    out << " ;;\n";
  }
  out << "      esac ;;\n"
         "  esac\n"
         "}\n"
         "if [[ $funcstack[1] = _assay ]]; then _assay \"$@\"; else compdef _assay assay; fi\n";
  return out.str();
}

}  // namespace assay::cli
