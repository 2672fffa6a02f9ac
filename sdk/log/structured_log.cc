#include "sdk/log/structured_log.h"

#include <errno.h>  // program_invocation_short_name
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <memory>
#include <utility>

#include "sdk/log/printable.h"

namespace assay::log {
namespace {

struct Log {
  std::string program = program_invocation_short_name;
  bool as_text = isatty(STDERR_FILENO) == 1;
  std::shared_ptr<spdlog::logger> lines;

  Log() {
    lines = std::make_shared<spdlog::logger>("assay",
                                             std::make_shared<spdlog::sinks::stderr_sink_mt>());
    lines->set_pattern("%v");  // the line is complete when spdlog gets it
  }
};

// Never destroyed: threads may log until the process is gone.
Log& the_log() {
  static Log& log = *std::make_unique<Log>().release();
  return log;
}

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarn:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

void write(Level level, std::string_view event, Fields fields) {
  if (!enabled(level)) return;
  const Time now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
  Log& log = the_log();
  const std::string line = log.as_text ? text_line(now, level, event, fields)
                                       : json_line(now, level, event, log.program, fields);
  log.lines->log(spdlog_level(level), spdlog::string_view_t(line.data(), line.size()));
}

// In UTC: "2024-06-07T12:00:01.123Z".
std::string utc(Time time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const std::time_t whole = std::chrono::system_clock::to_time_t(seconds);
  std::tm parts{};
  gmtime_r(&whole, &parts);
  std::array<char, 64> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::array<char, 8> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%03dZ",
                static_cast<int>((time - seconds).count()));
  return std::string(text.data(), size) + fraction.data();
}

template <typename Number>
std::string number_text(Number value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

bool is_reserved(std::string_view key) {
  return key == "time" || key == "level" || key == "event" || key == "program";
}

std::string json_value(const Field::Value& value) {
  std::string out;
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    append_json_string(out, *text);
  } else if (const auto* truth = std::get_if<bool>(&value)) {
    out = *truth ? "true" : "false";
  } else if (const auto* real = std::get_if<double>(&value)) {
    out = std::isfinite(*real) ? number_text(*real) : "null";  // JSON has no infinity
  } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
    out = number_text(*number);
  } else {
    out = number_text(std::get<std::uint64_t>(value));
  }
  return out;
}

std::string text_value(const Field::Value& value) {
  const auto* text = std::get_if<std::string_view>(&value);
  if (text == nullptr) return json_value(value);
  std::string safe = printable(*text);
  const bool plain = !safe.empty() && safe.find_first_of(" =\"") == std::string::npos;
  if (plain) return safe;
  for (std::size_t at = 0; (at = safe.find('"', at)) != std::string::npos; at += 2) {
    safe.insert(at, 1, '\\');
  }
  return "\"" + safe + "\"";
}

}  // namespace

std::string_view to_string(Level level) {
  switch (level) {
    case Level::kDebug:
      return "debug";
    case Level::kInfo:
      return "info";
    case Level::kWarn:
      return "warn";
    case Level::kError:
      return "error";
  }
  return "unknown";
}

std::optional<Level> parse_level(std::string_view name) {
  for (const Level level : {Level::kDebug, Level::kInfo, Level::kWarn, Level::kError}) {
    if (to_string(level) == name) return level;
  }
  return std::nullopt;
}

void start(Options options) {
  Log& log = the_log();
  if (!options.program.empty()) log.program = std::move(options.program);
  log.as_text = options.form == Form::kText ||
                (options.form == Form::kAutomatic && isatty(STDERR_FILENO) == 1);
  set_level(options.level);
}

void set_level(Level level) {
  the_log().lines->set_level(spdlog_level(level));
}
bool enabled(Level level) {
  return the_log().lines->should_log(spdlog_level(level));
}

void debug(std::string_view event, Fields fields) {
  write(Level::kDebug, event, fields);
}
void info(std::string_view event, Fields fields) {
  write(Level::kInfo, event, fields);
}
void warn(std::string_view event, Fields fields) {
  write(Level::kWarn, event, fields);
}
void error(std::string_view event, Fields fields) {
  write(Level::kError, event, fields);
}

std::string json_line(Time time, Level level, std::string_view event, std::string_view program,
                      Fields fields) {
  std::string line = "{\"time\":\"" + utc(time) + "\",\"level\":\"";
  line += to_string(level);
  line += "\",\"event\":";
  append_json_string(line, event);
  line += ",\"program\":";
  append_json_string(line, program);
  for (const Field& field : fields) {
    line += ',';
    // A key that is taken would appear twice, and readers differ on what that means.
    append_json_string(line, std::string(field.key()) + (is_reserved(field.key()) ? "_" : ""));
    line += ':' + json_value(field.value());
  }
  return line + "}";
}

std::string text_line(Time time, Level level, std::string_view event, Fields fields) {
  std::string line = utc(time).substr(11, 12) + " ";  // the time of day
  line += to_string(level);
  line.resize(19, ' ');  // levels have 4 or 5 letters: the events stand in one column
  line += printable(event);
  for (const Field& field : fields) {
    line += " " + printable(field.key()) + "=" + text_value(field.value());
  }
  return line;
}

}  // namespace assay::log
