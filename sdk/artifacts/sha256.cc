#include "sdk/artifacts/sha256.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

namespace assay::artifacts {

struct Sha256::Context {
  EVP_MD_CTX* md = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(md); }
};

// libcrypto fails here only without memory.
Sha256::Sha256() : context_(std::make_unique<Context>()) {
  ASSAY_ASSERT(context_->md != nullptr);
  ASSAY_ASSERT(EVP_DigestInit_ex(context_->md, EVP_sha256(), nullptr) == 1);
}

Sha256::~Sha256() = default;

void Sha256::add(std::string_view bytes) {
  ASSAY_ASSERT(EVP_DigestUpdate(context_->md, bytes.data(), bytes.size()) == 1);
}

ArtifactHash Sha256::finish() {
  ArtifactHash hash;
  unsigned int length = 0;
  ASSAY_ASSERT(EVP_DigestFinal_ex(context_->md, hash.bytes.data(), &length) == 1);
  ASSAY_ASSERT(length == hash.bytes.size());
  return hash;
}

ArtifactHash Sha256::of(std::string_view bytes) {
  Sha256 sum;
  sum.add(bytes);
  return sum.finish();
}

std::string hmac_sha256(std::string_view key, std::string_view message) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int length = 0;
  ASSAY_ASSERT(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                    reinterpret_cast<const unsigned char*>(message.data()), message.size(),
                    out.data(), &length) != nullptr);
  return {reinterpret_cast<const char*>(out.data()), length};
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
  return out;
}

}  // namespace assay::artifacts
