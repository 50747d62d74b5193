#include "common/digest.h"

#include <array>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "common/check.h"

namespace outgrown {

namespace {

using RawDigest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

std::string HexText(const RawDigest& raw) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  hex.reserve(raw.size() * 2);
  for (const unsigned char byte : raw) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 0xF];
  }
  return hex;
}

}  // namespace

struct Sha256::State {
  struct FreeContext {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, FreeContext> context{EVP_MD_CTX_new()};
};

// libcrypto has SHA-256 in every build of it; these calls fail for want of memory, or where its configuration
// leaves no provider of it. No digest is better than a wrong one.
// The EVP interface, because OpenSSL 3.0 deprecates SHA256_Init, SHA256_Update and SHA256_Final; the header
// stays free of it.
Sha256::Sha256() : state_(std::make_unique<State>()) {
  OUTGROWN_CHECK(state_->context && EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr) == 1);
}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::Update(std::string_view bytes) {
  OUTGROWN_CHECK(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1);
}

std::string Sha256::Hex() {
  RawDigest raw;
  OUTGROWN_CHECK(EVP_DigestFinal_ex(state_->context.get(), raw.data(), nullptr) == 1);
  return HexText(raw);
}

std::string Sha256Hex(std::string_view bytes) {
  Sha256 digest;
  digest.Update(bytes);
  return digest.Hex();
}

std::string_view ShortDigest(std::string_view digest) { return digest.substr(0, 8); }

}  // namespace outgrown
