// SHA-256, the digest of specs, artefacts and decision records. nettle is owned by digest.cc.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace outgrown {

// SHA-256 of `bytes` as 64 lower-case hexadecimal digits (FIPS 180-4).
std::string Sha256Hex(std::string_view bytes);

// The same of bytes that come in pieces.
class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();

  void Update(std::string_view bytes);
  // The digest of all pieces; nothing may be added after it.
  std::string Hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The first 8 digits, for display; comparisons use the whole digest.
std::string_view ShortDigest(std::string_view digest);

}  // namespace outgrown
