// UTF-8, one code point after another: Unicode's well-formed sequences only (no overlong form, no surrogate, nothing
// above U+10FFFF).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace outgrown {

inline constexpr char32_t kReplacement = 0xFFFD;
inline constexpr std::string_view kReplacementUtf8 = "\xEF\xBF\xBD";

struct CodePoint {
  char32_t value = kReplacement;
  std::size_t size_bytes = 1;
  bool valid = false;  // not valid: one byte that belongs to no UTF-8 sequence
};

// The first code point of `text`. Precondition: not empty.
CodePoint NextCodePoint(std::string_view text);

// Appends it in UTF-8. Precondition: a code point that NextCodePoint gives.
void AppendUtf8(std::string& text, char32_t code_point);

// `text` with U+FFFD for every byte that is not part of a well-formed sequence.
std::string ValidUtf8(std::string_view text);

}  // namespace outgrown
