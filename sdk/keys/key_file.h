// CURVE keys as files: NAME.key for whoever has the name, NAME.pub for those who are to know it.
// docs/security.md describes the form; docs/protocol.md how the keys are used.
#ifndef ASSAY_SDK_KEYS_KEY_FILE_H_
#define ASSAY_SDK_KEYS_KEY_FILE_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "assay/ids.h"
#include "assay/status.h"

namespace assay::keys {

using CurveKey = std::array<std::uint8_t, 32>;

// 64 lower-case hexadecimal digits, as in the files.
std::string to_hex(const CurveKey& key);
std::optional<CurveKey> parse_hex(std::string_view text);

// What a NAME.pub says of the one who holds the secret.
struct PublicKey {
  std::string name;
  CurveKey key{};
  // Whom it may act for, and as what (produce, subscribe, operate, work, work:QUEUE). Empty: as the
  // broker decides for keys that nothing is said of.
  OwnerName owner;
  std::vector<std::string> roles;
};

struct KeyPair {
  std::string name;
  CurveKey public_key{};
  CurveKey secret_key{};
};

// A new pair, out of the system's randomness.
KeyPair make_key_pair(std::string name);

// Writes FOLDER/NAME.key, which only its user can read, and FOLDER/NAME.pub.
// Errors: `invalid_name` (fix_input), `key_exists` (conflict: neither is overwritten),
// `unwritable_file` (fix_input).
Status write_key_files(const KeyPair& pair, const std::string& folder);

// Errors: `unreadable_file`, `invalid_key_file` (fix_input), each with the line; `exposed_key`
// (fix_input): others than its user may read the file.
Result<KeyPair> read_key_file(const std::string& path);
// Errors: `unreadable_file`, `invalid_key_file` (fix_input).
Result<PublicKey> read_public_key_file(const std::string& path);

// A server's public key as users name it: the path of a NAME.pub, or 64 hexadecimal digits.
// Errors: those of read_public_key_file.
Result<CurveKey> parse_server_key(const std::string& file_or_hex);

}  // namespace assay::keys

#endif  // ASSAY_SDK_KEYS_KEY_FILE_H_
