#include "sdk/keys/key_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <system_error>

namespace assay::keys {
namespace {

constexpr std::size_t kFileBytesMax = 64 << 10;

std::string error_text(int number) {
  return std::generic_category().message(number);
}

// One "word: value" of a file, with its line for messages.
struct Entry {
  int line = 0;
  std::string value;
};
using Entries = std::map<std::string, Entry>;

Status invalid(const std::string& path, int line, const std::string& what) {
  return fix_input("invalid_key_file",
                   path + (line > 0 ? ":" + std::to_string(line) : "") + ": " + what);
}

std::string trimmed(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return std::string(text);
}

Result<Entries> read_entries(const std::string& path, const std::vector<std::string>& known) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kFileBytesMax + 1, '\0');
  if (file) file.read(text.data(), static_cast<std::streamsize>(text.size()));
  // A folder opens like a file and can't be read.
  if (!file.is_open() || file.bad() || (file.fail() && !file.eof())) {
    return fix_input("unreadable_file", "cannot read the key file '" + path +
                                            "': " + error_text(errno == 0 ? EIO : errno));
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kFileBytesMax) return invalid(path, 0, "far too long for a key file");
  Entries entries;
  std::istringstream lines(text);
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    line = trimmed(line);
    if (line.empty() || line.front() == '#') continue;
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) return invalid(path, number, "expected 'word: value'");
    const std::string word = trimmed(std::string_view(line).substr(0, colon));
    if (std::find(known.begin(), known.end(), word) == known.end()) {
      std::string words;
      for (const std::string& each : known) words += (words.empty() ? "" : ", ") + each;
      return invalid(path, number, "unknown word '" + word.substr(0, 40) + "'; known: " + words);
    }
    Entry entry{number, trimmed(std::string_view(line).substr(colon + 1))};
    if (!entries.emplace(word, std::move(entry)).second) {
      return invalid(path, number, "'" + word + "' stands here twice");
    }
  }
  return entries;
}

// Finds `word` and reads it with `parse`, which answers nothing for what it does not accept.
template <typename Parse>
Status take(const std::string& path, const Entries& entries, const std::string& word,
            const std::string& expected, Parse parse) {
  const auto found = entries.find(word);
  if (found == entries.end()) return invalid(path, 0, "the line '" + word + ": ...' is missing");
  if (parse(found->second.value)) return Status::ok();
  // What is there may be a secret: it is not repeated.
  return invalid(path, found->second.line, word + ": expected " + expected);
}

Status take_key(const std::string& path, const Entries& entries, const std::string& word,
                CurveKey& key) {
  return take(path, entries, word, "64 hexadecimal digits", [&key](const std::string& text) {
    const auto parsed = parse_hex(text);
    if (parsed) key = *parsed;
    return parsed.has_value();
  });
}

Status take_name(const std::string& path, const Entries& entries, const std::string& word,
                 std::string& name) {
  return take(path, entries, word,
              "1 to 64 of letters, digits, '.', '_', '-', a letter or digit first",
              [&name](const std::string& text) {
                name = text;
                return valid_name(text);
              });
}

bool is_role(const std::string& word) {
  if (word == "produce" || word == "subscribe" || word == "operate" || word == "work") return true;
  return word.starts_with("work:") && valid_name(word.substr(5));
}

Status take_roles(const std::string& path, const Entries& entries,
                  std::vector<std::string>& roles) {
  return take(path, entries, "roles",
              "words out of produce, subscribe, operate, work and work:QUEUE, with commas between",
              [&roles](const std::string& text) {
                std::istringstream words(text);
                for (std::string word; std::getline(words, word, ',');)
                  roles.push_back(trimmed(word));
                return !roles.empty() && std::all_of(roles.begin(), roles.end(), is_role);
              });
}

// A group may read what is somebody else's file: that is how a cluster hands a secret to a program.
bool is_exposed(const struct stat& file) {
  const bool is_own = file.st_uid == geteuid();
  return (file.st_mode & (is_own ? 077 : 027)) != 0;
}

// Makes a file that was not there, with these rights from the beginning.
Status write_new(const std::string& path, mode_t rights, const std::string& text) {
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, rights);
  if (descriptor < 0 && errno == EEXIST) {
    return {Code::kConflict, "key_exists",
            "'" + path + "' exists and is not overwritten; choose another name or folder"};
  }
  if (descriptor < 0) {
    return fix_input("unwritable_file", "cannot make '" + path + "': " + error_text(errno));
  }
  const bool written = write(descriptor, text.data(), text.size()) == std::ssize(text) &&
                       fchmod(descriptor, rights) == 0 && fsync(descriptor) == 0;
  const int error = errno;
  close(descriptor);
  if (written) return Status::ok();
  unlink(path.c_str());
  return fix_input("unwritable_file", "cannot write '" + path + "': " + error_text(error));
}

}  // namespace

std::string to_hex(const CurveKey& key) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : key) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::optional<CurveKey> parse_hex(std::string_view text) {
  CurveKey key{};
  if (text.size() != key.size() * 2) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    int digit = -1;
    if (c >= '0' && c <= '9') digit = c - '0';
    if (c >= 'a' && c <= 'f') digit = c - 'a' + 10;
    if (c >= 'A' && c <= 'F') digit = c - 'A' + 10;
    if (digit < 0) return std::nullopt;
    key[i / 2] = static_cast<std::uint8_t>(key[i / 2] << 4 | digit);
  }
  return key;
}

KeyPair make_key_pair(std::string name) {
  std::array<char, 41> public_text{}, secret_text{};
  KeyPair pair{.name = std::move(name)};
  ASSAY_ASSERT(zmq_curve_keypair(public_text.data(), secret_text.data()) == 0);
  ASSAY_ASSERT(zmq_z85_decode(pair.public_key.data(), public_text.data()) != nullptr);
  ASSAY_ASSERT(zmq_z85_decode(pair.secret_key.data(), secret_text.data()) != nullptr);
  return pair;
}

Status write_key_files(const KeyPair& pair, const std::string& folder) {
  if (!valid_name(pair.name)) {
    return fix_input("invalid_name", "'" + pair.name.substr(0, 80) +
                                         "' cannot name a key; expected 1 to 64 letters, digits "
                                         "or . _ -, a letter or digit first");
  }
  const std::string base = (folder.empty() ? "" : folder + "/") + pair.name;
  const std::string both = "name: " + pair.name + "\npublic: " + to_hex(pair.public_key) + "\n";
  // Nothing is made when one of the two is there already.
  if (access((base + ".pub").c_str(), F_OK) == 0) {
    return {Code::kConflict, "key_exists",
            "'" + base + ".pub' exists and is not overwritten; choose another name or folder"};
  }
  Status status = write_new(base + ".key", 0600,
                            "# A secret key of assay: whoever can read this file is '" + pair.name +
                                "'.\n" + both + "secret: " + to_hex(pair.secret_key) + "\n");
  if (!status.is_ok()) return status;
  status = write_new(base + ".pub", 0644,
                     "# A public key of assay. A broker that has this file in its known_keys lets "
                     "'" +
                         pair.name + "' in.\n" + both);
  if (!status.is_ok()) unlink((base + ".key").c_str());
  return status;
}

Result<KeyPair> read_key_file(const std::string& path) {
  struct stat file {};
  if (stat(path.c_str(), &file) == 0 && S_ISREG(file.st_mode) && is_exposed(file)) {
    return fix_input("exposed_key", "the key file '" + path +
                                        "' can be read or written by others; keep it to yourself "
                                        "(chmod 600), and make a new key if somebody may have");
  }
  auto entries = read_entries(path, {"name", "public", "secret"});
  if (!entries.is_ok()) return entries.status();
  KeyPair pair;
  Status status = take_name(path, *entries, "name", pair.name);
  if (status.is_ok()) status = take_key(path, *entries, "public", pair.public_key);
  if (status.is_ok()) status = take_key(path, *entries, "secret", pair.secret_key);
  if (!status.is_ok()) return status;
  return pair;
}

Result<PublicKey> read_public_key_file(const std::string& path) {
  auto entries = read_entries(path, {"name", "public", "owner", "roles"});
  if (!entries.is_ok()) return entries.status();
  PublicKey key;
  Status status = take_name(path, *entries, "name", key.name);
  if (status.is_ok()) status = take_key(path, *entries, "public", key.key);
  if (status.is_ok() && entries->contains("owner"))
    status = take_name(path, *entries, "owner", key.owner.value);
  if (status.is_ok() && entries->contains("roles")) status = take_roles(path, *entries, key.roles);
  if (!status.is_ok()) return status;
  return key;
}

Result<CurveKey> parse_server_key(const std::string& file_or_hex) {
  if (const auto key = parse_hex(file_or_hex)) return *key;
  auto file = read_public_key_file(file_or_hex);
  if (!file.is_ok()) return file.status();
  return file->key;
}

}  // namespace assay::keys
