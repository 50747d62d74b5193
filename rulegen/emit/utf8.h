// UTF-8, one code point after another.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace outgrown::emit {

inline constexpr char32_t kReplacement = 0xFFFD;

// The code point that starts at `at`, which moves behind it. A byte that starts none (overlong, surrogate,
// cut short, stray) is kReplacement and moves `at` by one. Precondition: at < text.size().
char32_t NextCodePoint(std::string_view text, std::size_t& at);

// Appends it in UTF-8. Precondition: a code point that NextCodePoint gives.
void AppendUtf8(std::string& text, char32_t code_point);

}  // namespace outgrown::emit
