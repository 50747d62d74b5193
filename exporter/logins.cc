#include "exporter/logins.h"

#include <crypt.h>
#include <strings.h>
#include <sys/random.h>

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

#include "common/check.h"
#include "common/digest.h"

namespace outgrown::exporter {
namespace {

constexpr std::size_t kBcryptLength = 60;

// Base64 with its padding (RFC 4648); nothing if it is none.
std::optional<std::string> Decoded(std::string_view text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (text.size() % 4 != 0) return std::nullopt;
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  std::string bytes;
  unsigned bits = 0;
  int count = 0;
  for (const char c : text) {
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = (bits << 6U | static_cast<unsigned>(digit)) & 0xFFFFU;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> static_cast<unsigned>(count) & 0xFFU);
  }
  return bytes;
}

// In a time that doesn't depend on where they differ.
bool SameBytes(std::string_view left, std::string_view right) {
  if (left.size() != right.size()) return false;
  unsigned differ = 0;
  for (std::size_t i = 0; i < left.size(); ++i)
    differ |= static_cast<unsigned char>(left[i]) ^ static_cast<unsigned char>(right[i]);
  return differ == 0;
}

bool IsPassword(const std::string& password, const std::string& hash) {
  const auto data = std::make_unique<crypt_data>();  // 32 KiB
  const char* const made = ::crypt_r(password.c_str(), hash.c_str(), data.get());
  return made != nullptr && SameBytes(made, hash);
}

std::string RandomKey() {
  std::array<char, 32> key = {};
  OUTGROWN_CHECK(::getrandom(key.data(), key.size(), 0) == static_cast<ssize_t>(key.size()));
  return {key.data(), key.size()};
}

}  // namespace

// "$2b$", the cost from 04 to 31, "$", 53 of bcrypt's digits. crypt_checksalt(3) says whether this libcrypt has the method
// and looks at no more.
bool IsBcryptHash(const std::string& text) {
  constexpr std::string_view kDigits = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  if (text.size() != kBcryptLength || text[3] != '$' || text[6] != '$') return false;
  const std::string prefix = text.substr(0, 3);
  const std::string cost = text.substr(4, 2);
  return (prefix == "$2a" || prefix == "$2b" || prefix == "$2y") && cost >= "04" && cost <= "31" &&
         cost.find_first_not_of("0123456789") == std::string::npos &&
         text.find_first_not_of(kDigits, 7) == std::string::npos &&
         ::crypt_checksalt(text.c_str()) == CRYPT_SALT_OK;
}

Logins::Logins(std::map<std::string, std::string> hashes) : hashes_(std::move(hashes)), key_(RandomKey()) {}

bool Logins::Admits(std::string_view authorization) {
  if (hashes_.empty()) return true;
  constexpr std::string_view kScheme = "Basic ";
  const std::string scheme(authorization.substr(0, kScheme.size()));
  if (authorization.size() <= kScheme.size() || ::strcasecmp(scheme.c_str(), kScheme.data()) != 0)
    return false;
  const std::optional<std::string> login = Decoded(authorization.substr(kScheme.size()));
  const std::size_t colon = login ? login->find(':') : std::string::npos;
  // crypt(3) would end the password at a NUL, and take what follows for right.
  if (colon == std::string::npos || login->find('\0') != std::string::npos) return false;
  const std::string user = login->substr(0, colon);
  const std::string digest = Sha256Hex(key_ + *login);
  {
    const std::lock_guard<std::mutex> lock(remembered_mutex_);
    const auto remembered = remembered_.find(user);
    if (remembered != remembered_.end() && SameBytes(remembered->second, digest)) return true;
  }
  const auto found = hashes_.find(user);
  {
    const std::lock_guard<std::mutex> lock(check_mutex_);
    // Of a user that is not there somebody's hash, since only the hashes say at which cost they were made.
    const std::string& hash = found == hashes_.end() ? hashes_.begin()->second : found->second;
    const bool right = IsPassword(login->substr(colon + 1), hash);
    if (!right || found == hashes_.end()) return false;
  }
  const std::lock_guard<std::mutex> lock(remembered_mutex_);
  remembered_[user] = digest;
  return true;
}

}  // namespace outgrown::exporter
