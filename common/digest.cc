#include "common/digest.h"

#include <array>
#include <cstdint>

#include <nettle/sha2.h>

namespace outgrown {

struct Sha256::State {
  sha256_ctx context;
};

Sha256::Sha256() : state_(std::make_unique<State>()) { sha256_init(&state_->context); }
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::Update(std::string_view bytes) {
  sha256_update(&state_->context, bytes.size(), reinterpret_cast<const std::uint8_t*>(bytes.data()));
}

std::string Sha256::Hex() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<std::uint8_t, SHA256_DIGEST_SIZE> raw = {};
  sha256_digest(&state_->context, raw.size(), raw.data());
  std::string hex;
  hex.reserve(raw.size() * 2);
  for (const std::uint8_t byte : raw) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 0xF];
  }
  return hex;
}

std::string Sha256Hex(std::string_view bytes) {
  Sha256 digest;
  digest.Update(bytes);
  return digest.Hex();
}

std::string_view ShortDigest(std::string_view digest) { return digest.substr(0, 8); }

}  // namespace outgrown
