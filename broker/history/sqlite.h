// SQLite as values: a Database and its Statements end with their owners, and every error is a
// Status. Only this file's .cc, and those that need a constant of SQLite, include sqlite3.h. Must
// not know: the schema.
#ifndef ASSAY_BROKER_HISTORY_SQLITE_H_
#define ASSAY_BROKER_HISTORY_SQLITE_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "assay/ids.h"
#include "assay/status.h"

struct sqlite3;
struct sqlite3_stmt;

namespace assay::history {

// Reasons that everything here fails with.
inline constexpr std::string_view kReasonDamaged = "history_damaged";          // kDataLoss
inline constexpr std::string_view kReasonUnreachable = "history_unreachable";  // kFixInput
inline constexpr std::string_view kReasonBusy = "history_busy";                // kRetryCall
inline constexpr std::string_view kReasonDiskFull = "disk_full";               // kExhausted
inline constexpr std::string_view kReasonInputOutput = "io_error";             // kInternal
inline constexpr std::string_view kReasonTooLong = "query_too_long";           // kFixInput
inline constexpr std::string_view kReasonFailed = "history_failed";            // kInternal

// Bytes as opposed to text.
struct Bytes {
  std::string_view value;
};

// A prepared statement. Parameters and columns are numbered from 1 and 0, as SQLite does it.
// Thread: its database's.
class Statement {
 public:
  Statement() = default;  // none: only to be assigned to
  // Binds all parameters in order and runs to the end; for statements that answer no rows.
  // Texts are not copied: they must live until it returns.
  template <typename... Values>
  Status run(const Values&... values) {
    start(values...);
    return finish();
  }
  // Binds all parameters in order; rows follow with next(). Texts must live until the last row.
  template <typename... Values>
  void start(const Values&... values) {
    reset();
    int index = 0;
    (bind(++index, values), ...);
  }
  // Whether there is a row (more).
  Result<bool> next();
  void reset();

  void bind(int index, std::int64_t value);
  void bind(int index, std::uint64_t value) { bind(index, static_cast<std::int64_t>(value)); }
  void bind(int index, std::uint32_t value) { bind(index, std::int64_t{value}); }
  void bind(int index, double value);
  void bind(int index, std::string_view text);
  void bind(int index, const std::string& text) { bind(index, std::string_view(text)); }
  void bind(int index, Bytes bytes);
  void bind(int index, Time at) { bind(index, std::int64_t{at.time_since_epoch().count()}); }
  template <typename T>
  void bind(int index, const std::optional<T>& value) {
    value ? bind(index, *value) : bind_null(index);
  }

  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  std::uint64_t natural(int column) const { return static_cast<std::uint64_t>(integer(column)); }
  double real(int column) const;
  std::string text(int column) const;  // or bytes
  Time time(int column) const { return Time(Duration(integer(column))); }
  std::optional<Time> optional_time(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  void bind_null(int index);
  Status finish();

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

enum class Access : std::uint8_t {
  kWrite,  // made when it is not there
  kRead,
};

// One connection. Thread: one at a time.
class Database {
 public:
  // Errors: kReasonUnreachable, kReasonDamaged (no SQLite database), kReasonInputOutput.
  static Result<Database> open(const std::string& path, Access access);

  // Runs statements that answer nothing; several may be in one text.
  Status execute(const std::string& sql);
  Result<Statement> prepare(std::string_view sql);
  // The first column of the first row of a query.
  Result<std::int64_t> number(std::string_view sql);
  // Statements that run past it fail with kReasonTooLong; none: they take their time.
  void set_deadline(std::optional<std::chrono::steady_clock::time_point> deadline);

 private:
  using Deadline = std::optional<std::chrono::steady_clock::time_point>;
  struct Close {
    void operator()(sqlite3* database) const;
  };
  Database(sqlite3* database, std::string path);

  std::unique_ptr<sqlite3, Close> database_;
  std::unique_ptr<Deadline> deadline_;  // on the heap: SQLite keeps its address
  std::string path_;
};

// Rolled back unless it was committed.
class Transaction {
 public:
  explicit Transaction(Database& database) : database_(database) {}
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  Status begin();
  // Statements that only read see one moment until it ends.
  Status begin_reading();
  Status commit();

 private:
  Status begin(const char* sql);

  Database& database_;
  bool open_ = false;
};

}  // namespace assay::history

#endif  // ASSAY_BROKER_HISTORY_SQLITE_H_
