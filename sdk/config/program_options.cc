// The only file that knows CLI11.
#include "sdk/config/program_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <sstream>

#include "sdk/log/printable.h"
#include "sdk/log/structured_log.h"

namespace assay::config {
namespace {

std::string flag_of(const std::string& key) {
  std::string flag = "--" + key;
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

std::string variable_of(const std::string& key) {
  std::string name = "ASSAY_" + key;
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return name;
}

template <typename T>
Status assign(T& value, Result<T> parsed) {
  if (!parsed.is_ok()) return parsed.status();
  value = std::move(*parsed);
  return Status::ok();
}

std::vector<std::string> split_at_commas(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    if (end > begin) words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

struct CommandLine {
  std::string config_file;
  bool check_only = false;
  std::map<std::string, std::string> flags;  // by key
};

// Fills `line`, or answers the status to exit with.
std::optional<int> parse_command_line(const Program& program, int argc, const char* const* argv,
                                      const Options& options, CommandLine& line) {
  CLI::App app(program.description, program.name);
  app.set_version_flag("--version", program.name + " " + ASSAY_VERSION);
  app.add_option("--config", line.config_file, "read settings from this YAML file")
      ->type_name("FILE")
      ->envname("ASSAY_CONFIG");
  app.add_flag("--check-config", line.check_only, "check the settings, name what is wrong, exit");
  app.footer(
      "Each setting is also a key of the file (data_dir) and an environment variable "
      "(ASSAY_DATA_DIR).\nFlags win over the environment, the environment over the file.");
  std::vector<CLI::Option*> flags;
  for (const Option& option : options.all()) {
    CLI::Option* flag = app.add_option(flag_of(option.key), option.description);
    flag->type_name(option.form)->take_last();
    if (option.is_switch) {
      // CLI11 takes its default for a switch without a value; here that means true.
      flag->expected(0, 1)->default_str("true")->description(option.description + " (initially " +
                                                             option.initial + ")");
    } else if (!option.initial.empty()) {
      flag->default_str(option.initial);
    }
    flags.push_back(flag);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& stop) {
    const bool is_answer = stop.get_exit_code() == 0;  // --help, --version
    app.exit(stop);
    return is_answer ? 0 : kExitBadUsage;
  }
  for (std::size_t i = 0; i < flags.size(); ++i) {
    if (flags[i]->results().empty()) continue;
    line.flags[options.all()[i].key] = flags[i]->results().back();
  }
  return std::nullopt;
}

void read_file_settings(const std::string& path, const Options& options,
                        std::vector<std::string>& mistakes) {
  const Status status = read_yaml(path, [&](Map& map) {
    for (const Option& option : options.all()) option.read(map);
    for (const Map::Read& read : options.file_reads()) read(map);
  });
  if (!status.is_ok()) mistakes.push_back(status.message());
}

void set_from_text(const Options& options, const CommandLine& line,
                   std::vector<std::string>& mistakes) {
  const auto set = [&](const Option& option, const std::string& place, const std::string& text) {
    const Status status = option.set(text);
    if (!status.is_ok()) mistakes.push_back(place + ": " + status.message());
  };
  for (const Option& option : options.all()) {
    const std::string variable = variable_of(option.key);
    // NOLINTNEXTLINE(concurrency-mt-unsafe): before any other thread is started
    if (const char* text = std::getenv(variable.c_str())) set(option, variable, text);
    const auto flag = line.flags.find(option.key);
    if (flag != line.flags.end()) set(option, flag_of(option.key), flag->second);
  }
}

void start_log(const Program& program, const std::string& level, const std::string& form) {
  const std::map<std::string, log::Form> forms = {
      {"auto", log::Form::kAutomatic}, {"json", log::Form::kJson}, {"text", log::Form::kText}};
  log::start({.program = program.name,
              .level = log::parse_level(level).value_or(log::Level::kInfo),
              .form = forms.at(form)});
}

struct LogSettings {
  std::string level = "info";
  std::string form = "auto";

  void describe(Options& options) {
    options.choice("log_level", level, "how much to log", {"debug", "info", "warn", "error"});
    options.choice("log_form", form, "auto: text on a terminal, JSON elsewhere",
                   {"auto", "json", "text"});
  }
};

// All values from wherever they stand; returns what is wrong with them.
std::vector<std::string> gather(const Options& options, const CommandLine& line) {
  std::vector<std::string> mistakes;
  if (!line.config_file.empty()) read_file_settings(line.config_file, options, mistakes);
  set_from_text(options, line, mistakes);
  for (const auto& check : options.checks()) {
    if (!mistakes.empty()) break;  // what is already wrong would be told twice
    const Status status = check();
    if (!status.is_ok()) mistakes.push_back(status.message());
  }
  return mistakes;
}

std::optional<int> read_or_throw(const Program& program, int argc, const char* const* argv,
                                 const std::function<void(Options&)>& describe) {
  LogSettings log;
  Options options;
  describe(options);
  log.describe(options);
  CommandLine line;
  if (auto exit_status = parse_command_line(program, argc, argv, options, line)) return exit_status;
  const std::vector<std::string> mistakes = gather(options, line);
  if (!mistakes.empty()) {
    for (const std::string& mistake : mistakes) std::fprintf(stderr, "%s\n", mistake.c_str());
    return kExitBadUsage;
  }
  if (line.check_only) {
    std::printf("%s: the configuration is good\n",
                line.config_file.empty() ? program.name.c_str() : line.config_file.c_str());
    return 0;
  }
  start_log(program, log.level, log.form);
  return std::nullopt;
}

}  // namespace

void Options::text(const std::string& key, std::string& value, std::string description) {
  all_.push_back({key, std::move(description), "TEXT", value, false,
                  [&value](const std::string& text) {
                    value = text;
                    return Status::ok();
                  },
                  [key, &value](Map& map) { map.text(key, value); }});
}

void Options::boolean(const std::string& key, bool& value, std::string description) {
  all_.push_back({key, std::move(description), "BOOLEAN", value ? "true" : "false", true,
                  [&value](const std::string& text) { return assign(value, parse_boolean(text)); },
                  [key, &value](Map& map) { map.boolean(key, value); }});
}

void Options::number(const std::string& key, double& value, std::string description,
                     Numbers range) {
  std::ostringstream initial;
  initial << value;
  all_.push_back({key, std::move(description), "NUMBER", initial.str(), false,
                  [&value, range](const std::string& text) {
                    return assign(value, parse_number(text, range));
                  },
                  [key, &value, range](Map& map) { map.number(key, value, range); }});
}

void Options::duration(const std::string& key, Duration& value, std::string description,
                       Durations range) {
  all_.push_back({key, std::move(description), "DURATION", format_duration(value), false,
                  [&value, range](const std::string& text) {
                    return assign(value, parse_duration(text, range));
                  },
                  [key, &value, range](Map& map) { map.duration(key, value, range); }});
}

void Options::bytes(const std::string& key, std::uint64_t& value, std::string description,
                    Sizes range) {
  all_.push_back(
      {key, std::move(description), "SIZE", format_bytes(value), false,
       [&value, range](const std::string& text) { return assign(value, parse_bytes(text, range)); },
       [key, &value, range](Map& map) { map.bytes(key, value, range); }});
}

void Options::texts(const std::string& key, std::vector<std::string>& values,
                    std::string description) {
  all_.push_back({key, std::move(description), "TEXT,...", join(values), false,
                  [&values](const std::string& text) {
                    values = split_at_commas(text);
                    return Status::ok();
                  },
                  [key, &values](Map& map) { map.texts(key, values); }});
}

void Options::choice(const std::string& key, std::string& value, std::string description,
                     const std::vector<std::string>& choices) {
  const auto set = [&value, choices](const std::string& text) {
    const Result<std::size_t> place = parse_choice(text, choices);
    if (!place.is_ok()) return place.status();
    value = choices[*place];
    return Status::ok();
  };
  description += " (" + join(choices) + ")";
  all_.push_back({key, std::move(description), "WORD", value, false, set,
                  [key, &value, choices](Map& map) { map.choice(key, value, choices); }});
}

void Options::add_integer(const std::string& key, std::int64_t initial, std::string description,
                          Integers range, const std::function<void(std::int64_t)>& assign_number) {
  const auto set = [assign_number, range](const std::string& text) {
    const Result<std::int64_t> number = parse_integer(text, range);
    if (!number.is_ok()) return number.status();
    assign_number(*number);
    return Status::ok();
  };
  const auto read = [key, assign_number, range](Map& map) {
    std::optional<std::int64_t> number;
    map.integer(key, number, range);
    if (number) assign_number(*number);
  };
  all_.push_back(
      {key, std::move(description), "INTEGER", std::to_string(initial), false, set, read});
}

std::optional<int> read_settings(const Program& program, int argc, const char* const* argv,
                                 const std::function<void(Options&)>& describe) {
  try {
    return read_or_throw(program, argc, argv, describe);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", program.name.c_str(), error.what());
    return kExitBadUsage;
  }
}

Status reread_settings(const Program& program, int argc, const char* const* argv,
                       const std::function<void(Options&)>& describe) {
  try {
    LogSettings log;
    Options options;
    describe(options);
    log.describe(options);
    CommandLine line;
    // The flags were good at the start and are the same.
    if (parse_command_line(program, argc, argv, options, line))
      return fix_input("invalid_setting", "the flags can't be read again");
    std::string text;
    for (const std::string& mistake : gather(options, line))
      text += (text.empty() ? "" : "\n") + mistake;
    if (!text.empty()) return fix_input("invalid_setting", text);
    log::set_level(log::parse_level(log.level).value_or(log::Level::kInfo));
    return Status::ok();
  } catch (const std::exception& error) {
    return fix_input("invalid_setting", error.what());
  }
}

std::vector<std::string> different_keys(const Options& before, const Options& after) {
  std::map<std::string, std::string> values;
  for (const Option& option : before.all()) values[option.key] = option.initial;
  std::vector<std::string> different;
  for (const Option& option : after.all()) {
    if (values[option.key] != option.initial) different.push_back(option.key);
  }
  return different;
}

}  // namespace assay::config
