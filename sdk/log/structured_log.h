// The log of every program: one line an event on standard error.
//
//   log::info("task_submitted", {{"task", id.text()}, {"queue", "eval"}, {"count", 3}});
//
// {"time":"2024-06-07T12:00:01.123Z","level":"info","event":"task_submitted",
//  "program":"assay-broker","task":"01HZ...","queue":"eval","count":3}
//
// On a terminal: 12:00:01.123 info  task_submitted task=01HZ... queue=eval count=3
//
// An event is a fixed token, so that it can be searched for; what varies goes into fields. Secrets
// never do.
#ifndef ASSAY_SDK_LOG_STRUCTURED_LOG_H_
#define ASSAY_SDK_LOG_STRUCTURED_LOG_H_

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "assay/ids.h"

namespace assay::log {

enum class Level : std::uint8_t { kDebug, kInfo, kWarn, kError };
std::string_view to_string(Level level);
// "debug", "info", "warn" or "error".
std::optional<Level> parse_level(std::string_view name);

// A key and a value. It refers to its text: good for one call, not for keeping.
class Field {
 public:
  using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

  template <typename T>
  requires std::convertible_to<const T&, std::string_view> Field(std::string_view key,
                                                                 const T& text)
      : key_(key), value_(std::string_view(text)) {}
  Field(std::string_view key, bool value) : key_(key), value_(value) {}
  Field(std::string_view key, std::floating_point auto value)
      : key_(key), value_(static_cast<double>(value)) {}
  Field(std::string_view key, std::signed_integral auto value)
      : key_(key), value_(static_cast<std::int64_t>(value)) {}
  template <std::unsigned_integral T>
  requires(!std::same_as<T, bool>) Field(std::string_view key, T value)
      : key_(key), value_(static_cast<std::uint64_t>(value)) {}

  std::string_view key() const { return key_; }
  const Value& value() const { return value_; }

 private:
  std::string_view key_;
  Value value_;
};
using Fields = std::initializer_list<Field>;

enum class Form : std::uint8_t { kAutomatic, kJson, kText };  // automatic: text on a terminal only

struct Options {
  std::string program;  // empty: the executable's name
  Level level = Level::kInfo;
  Form form = Form::kAutomatic;
};

// Sets the log up. Without it the initial Options hold. Thread: before others log.
void start(Options options);

// Thread: any, as all below.
void set_level(Level level);
bool enabled(Level level);

void debug(std::string_view event, Fields fields = {});
void info(std::string_view event, Fields fields = {});
void warn(std::string_view event, Fields fields = {});
void error(std::string_view event, Fields fields = {});

// The line for an event, without a newline: what the functions above write.
std::string json_line(Time time, Level level, std::string_view event, std::string_view program,
                      Fields fields);
std::string text_line(Time time, Level level, std::string_view event, Fields fields);

}  // namespace assay::log

#endif  // ASSAY_SDK_LOG_STRUCTURED_LOG_H_
