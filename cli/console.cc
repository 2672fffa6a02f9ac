#include "cli/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "cli/text/printable.h"

namespace assay::cli {
namespace {

constexpr std::size_t kErrorColumnsMax = 2000;

std::string environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread
  return value == nullptr ? "" : value;
}

bool is_utf8_locale() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string value = environment(name);
    if (value.empty()) continue;
    return value.find("UTF-8") != std::string::npos || value.find("utf8") != std::string::npos ||
           value.find("utf-8") != std::string::npos;
  }
  return false;
}

winsize terminal_size() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
    size.ws_col = 80;
    size.ws_row = 24;
  }
  return size;
}

}  // namespace

Console::Console(std::ostream& out, std::ostream& err, Look look, bool live)
    : out_(out), err_(err), look_(look), live_(live) {}

Console Console::standard() {
  Look look;
  const bool terminal = isatty(STDOUT_FILENO) == 1;
  const bool dumb = environment("TERM").empty() || environment("TERM") == "dumb";
  look.colour = terminal && !dumb && environment("NO_COLOR").empty();
  look.unicode = !terminal || is_utf8_locale();
  Console console(std::cout, std::cerr, look, terminal && !dumb);
  console.measured_ = terminal;
  return console;
}

void Console::print(std::string_view text) {
  out_ << text << '\n';
}

void Console::print(const Line& line) {
  Look uncut = look_;
  uncut.width = kNoLimit;
  out_ << render(line, uncut) << '\n';
}

void Console::print(const Table& table) {
  for (const std::string& row : render(table, look())) out_ << row << '\n';
}

void Console::write(std::string_view bytes) {
  out_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

void Console::error(std::string_view message) {
  out_.flush();  // what was said before stands before, also when both go to one place
  std::string text;
  // A message of several lines (all mistakes of a file) stays so.
  while (!message.empty()) {
    const std::size_t end = std::min(message.find('\n'), message.size());
    if (!text.empty()) text += "\n  ";
    text += printable(message.substr(0, end), kErrorColumnsMax);
    message.remove_prefix(std::min(end + 1, message.size()));
  }
  err_ << "assay: " << text << std::endl;
}

bool Console::flush() {
  return static_cast<bool>(out_.flush());
}

Look Console::look() const {
  Look look = look_;
  if (measured_) look.width = terminal_size().ws_col;
  return look;
}

std::size_t Console::height() const {
  return measured_ ? terminal_size().ws_row : 24;
}

}  // namespace assay::cli
