// The sha256 of a stream, by OpenSSL's libcrypto, which uses what the processor has for it.
#ifndef ASSAY_SDK_ARTIFACTS_SHA256_H_
#define ASSAY_SDK_ARTIFACTS_SHA256_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "assay/artifacts.h"

namespace assay::artifacts {

// Thread: one at a time.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void add(std::string_view bytes);
  // The hash of all that was added. Once.
  ArtifactHash finish();

  static ArtifactHash of(std::string_view bytes);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// HMAC-SHA256 (RFC 2104): 32 bytes.
std::string hmac_sha256(std::string_view key, std::string_view message);

// Lower-case hexadecimal.
std::string hex(std::string_view bytes);

}  // namespace assay::artifacts

#endif  // ASSAY_SDK_ARTIFACTS_SHA256_H_
