// How every option of the command line is declared, whatever it is of: one value a flag, so that a
// flag never swallows what follows it. For the files that declare options; it includes CLI11.
#ifndef ASSAY_CLI_OPTION_BUILDERS_H_
#define ASSAY_CLI_OPTION_BUILDERS_H_

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/text/duration.h"

namespace assay::cli {

template <typename Value>
CLI::Option* add(CLI::App& app, const std::string& flag, Value& value, const std::string& help,
                 const std::string& type) {
  return app.add_option(flag, value, help)->allow_extra_args(false)->type_name(type);
}

template <typename Value>
void add_duration(CLI::App& app, const std::string& flag, Value& value, const std::string& help) {
  const auto store = [flag, &value](const std::string& text) {
    const Result<Duration> parsed = parse_duration(text);
    if (!parsed.is_ok()) throw CLI::ValidationError(flag, parsed.status().message());
    value = *parsed;
  };
  app.add_option_function<std::string>(flag, store, help)->type_name("TIME");
}

// A time as a moment: so long from now, or a date and time with its zone.
inline void add_time(CLI::App& app, const std::string& flag, std::optional<Time>& value,
                     const std::string& help) {
  const auto store = [flag, &value](const std::string& text) {
    const Time now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
    const Result<Time> parsed = parse_time(text, now);
    if (!parsed.is_ok()) throw CLI::ValidationError(flag, parsed.status().message());
    value = *parsed;
  };
  app.add_option_function<std::string>(flag, store, help)->type_name("TIME");
}

inline void add_labels(CLI::App& app, const std::string& flag, const std::string& help,
                       std::map<std::string, std::string>& labels) {
  const auto store = [flag, &labels](const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      const std::size_t equals = text.find('=');
      if (equals == 0 || equals == std::string::npos) {
        throw CLI::ValidationError(flag, "'" + text + "' has not the form NAME=VALUE");
      }
      labels[text.substr(0, equals)] = text.substr(equals + 1);
    }
  };
  app.add_option_function<std::vector<std::string>>(flag, store, help)
      ->allow_extra_args(false)
      ->type_name("NAME=VALUE");
}

}  // namespace assay::cli

#endif  // ASSAY_CLI_OPTION_BUILDERS_H_
