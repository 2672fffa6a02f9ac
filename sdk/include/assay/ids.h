// Names and identifiers, each a type of its own so that one cannot stand in for another.
#ifndef ASSAY_IDS_H_
#define ASSAY_IDS_H_

#include <array>
#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace assay {

// Milliseconds since the Unix epoch. The broker's core never asks for it: it is told.
using Duration = std::chrono::milliseconds;
using Time = std::chrono::sys_time<Duration>;

// A task's identity, chosen by its producer, so that a submit that is retried names the same task.
// A ULID: 48 bits of milliseconds, 80 bits of chance; its text is 26 characters of Crockford's base
// 32 and sorts by time. Source: https://github.com/ulid/spec.
struct TaskId {
  std::array<std::uint8_t, 16> bytes{};

  // A new id. Thread: any; randomness comes from the operating system.
  static TaskId make(Time now);
  // The id that `text` spells, in upper or lower case, or nothing when it is not a ULID.
  static std::optional<TaskId> parse(std::string_view text);
  // 26 upper-case characters.
  std::string text() const;

  friend auto operator<=>(const TaskId&, const TaskId&) = default;
};

// A name with a meaning, told apart by its tag.
template <typename Tag>
struct Name {
  std::string value;

  Name() = default;
  explicit Name(std::string text) : value(std::move(text)) {}
  friend auto operator<=>(const Name&, const Name&) = default;
};

using QueueName = Name<struct QueueTag>;    // "eval"; rule: valid_name
using OwnerName = Name<struct OwnerTag>;    // a user or team; rule: valid_name
using WorkerName = Name<struct WorkerTag>;  // one worker process; rule: valid_name

// 1 to 64 characters out of a-z A-Z 0-9 . _ - and the first a letter or digit. Queue, owner and
// worker names travel in topics, metrics and file names, so nothing else is let in.
bool valid_name(std::string_view text);

// Which try of a task this is. Begins at 1; a result counts only if it comes from the current one.
struct Attempt {
  std::uint32_t number = 0;
  friend auto operator<=>(const Attempt&, const Attempt&) = default;
};

}  // namespace assay

template <>
struct std::hash<assay::TaskId> {
  std::size_t operator()(const assay::TaskId& id) const noexcept {
    // The last eight bytes of a ULID are chance already.
    std::size_t tail = 0;
    for (std::size_t i = 8; i < 16; ++i) tail = tail << 8 | id.bytes[i];
    return tail;
  }
};

template <typename Tag>
struct std::hash<assay::Name<Tag>> {
  std::size_t operator()(const assay::Name<Tag>& name) const noexcept {
    return std::hash<std::string>()(name.value);
  }
};

#endif  // ASSAY_IDS_H_
