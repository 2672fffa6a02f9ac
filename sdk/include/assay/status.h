// What an operation answers when it can fail: a Status, or a Result<T> that holds a value or a
// Status.
//
// A code says what the caller should do about it; a reason is a fixed token that programs may
// compare (`queue_full`, `stale_attempt`; docs/protocol.md lists them); the message is for
// people. After Abseil's status codes, which are chosen by the action they call for
// (absl/status/status.h).
#ifndef ASSAY_STATUS_H_
#define ASSAY_STATUS_H_

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace assay {

// Chosen by what the caller should do. The numbers are on the wire (ERROR.code): never reuse one.
enum class Code : std::uint8_t {
  kOk = 0,
  kRetryCall = 1,   // nothing happened; the same call may succeed at once (a peer is not there yet)
  kRetryLater = 2,  // refused for now: wait `retry_after`, then try the same call again
  kFixInput = 3,    // the request is wrong and always will be
  kNotFound = 4,    // what it names does not exist
  kConflict = 5,    // it contradicts what is already recorded
  kExhausted = 6,   // a budget or limit is used up
  kDataLoss = 7,    // stored bytes are damaged
  kInternal = 8,    // our own fault
};

// The code's name as it stands in documents and logs: "retry_later".
std::string_view to_string(Code code);

// Thread: a value; as safe as any other.
class [[nodiscard]] Status {
 public:
  Status() = default;  // ok
  Status(Code code, std::string reason, std::string message)
      : code_(code), reason_(std::move(reason)), message_(std::move(message)) {}

  static Status ok() { return {}; }

  // The same refusal with a time after which a new try makes sense.
  Status with_retry_after(std::chrono::milliseconds delay) && {
    retry_after_ = delay;
    return std::move(*this);
  }
  // The same failure with words in front of its message: "cannot open journal: no space left".
  Status with_context(std::string_view context) && {
    message_.insert(0, std::string(context) + ": ");
    return std::move(*this);
  }

  bool is_ok() const { return code_ == Code::kOk; }
  Code code() const { return code_; }
  const std::string& reason() const { return reason_; }
  const std::string& message() const { return message_; }
  std::chrono::milliseconds retry_after() const { return retry_after_; }

  // For people: "queue_full: the queue eval holds 100000 tasks, its limit".
  std::string to_string() const;

  friend bool operator==(const Status&, const Status&) = default;

 private:
  Code code_ = Code::kOk;
  std::string reason_;
  std::string message_;
  std::chrono::milliseconds retry_after_{0};
};

inline Status fix_input(std::string reason, std::string message) {
  return {Code::kFixInput, std::move(reason), std::move(message)};
}
inline Status not_found(std::string reason, std::string message) {
  return {Code::kNotFound, std::move(reason), std::move(message)};
}
inline Status retry_later(std::string reason, std::string message) {
  return {Code::kRetryLater, std::move(reason), std::move(message)};
}
inline Status internal_error(std::string reason, std::string message) {
  return {Code::kInternal, std::move(reason), std::move(message)};
}

// A violated expectation of our own code: prints condition, file and line, and aborts, in release
// too. Never used on input from outside.
[[noreturn]] inline void assertion_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "assay: assertion failed: %s (%s:%d)\n", condition, file, line);
  std::abort();
}
#define ASSAY_ASSERT(condition) \
  ((condition) ? void() : ::assay::assertion_failed(#condition, __FILE__, __LINE__))

// A value or the Status that says why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  // Implicit, so that `return value;` reads well.
  Result(T value) : content_(std::move(value)) {}        // NOLINT
  Result(Status status) : content_(std::move(status)) {  // NOLINT: implicit, as above
    ASSAY_ASSERT(!std::get<Status>(content_).is_ok());
  }

  bool is_ok() const { return std::holds_alternative<T>(content_); }
  // Ok when there is a value.
  Status status() const { return is_ok() ? Status() : std::get<Status>(content_); }

  // The value. Asking a failed result for one is a bug of the caller and aborts.
  T& value() & {
    ASSAY_ASSERT(is_ok());
    return std::get<T>(content_);
  }
  const T& value() const& {
    ASSAY_ASSERT(is_ok());
    return std::get<T>(content_);
  }
  // By value, so that `for (x : load().value())` iterates over something that lives.
  T value() && {
    ASSAY_ASSERT(is_ok());
    return std::get<T>(std::move(content_));
  }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T operator*() && { return std::move(*this).value(); }

 private:
  std::variant<T, Status> content_;
};

}  // namespace assay

#endif  // ASSAY_STATUS_H_
