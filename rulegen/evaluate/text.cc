#include "rulegen/evaluate/text.h"

namespace outgrown::evaluate {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

}  // namespace

CodePoint NextCodePoint(std::string_view text) {
  const auto byte = [&](std::size_t index) -> unsigned { return static_cast<unsigned char>(text[index]); };
  const unsigned first = byte(0);
  if (first < 0x80) return {first, 1, true};
  // Table 3-7 of the Unicode standard: the second byte's range shuts out overlong forms, surrogates and the too large.
  std::size_t size = 0;
  unsigned low = 0x80;
  unsigned high = 0xBF;
  if (first >= 0xC2 && first <= 0xDF) {
    size = 2;
  } else if (first >= 0xE0 && first <= 0xEF) {
    size = 3;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
  } else if (first >= 0xF0 && first <= 0xF4) {
    size = 4;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
  }
  if (size == 0 || text.size() < size) return {};
  char32_t value = first & (0xFFU >> (size + 1));
  for (std::size_t index = 1; index < size; ++index) {
    if (byte(index) < low || byte(index) > high) return {};
    value = (value << 6U) | (byte(index) & 0x3FU);
    low = 0x80;
    high = 0xBF;
  }
  return {value, size, true};
}

bool IsControl(char32_t code_point) {
  return code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0) ||
         (code_point >= 0x2028 && code_point <= 0x202E) || (code_point >= 0x2066 && code_point <= 0x2069);
}

std::string PlainText(std::string_view text, std::size_t code_points_max) {
  std::string plain;
  for (std::size_t count = 0; !text.empty(); ++count) {
    if (count == code_points_max) return plain + "…";
    const CodePoint next = NextCodePoint(text);
    plain += next.valid && !IsControl(next.value) ? text.substr(0, next.size_bytes) : kReplacement;
    text.remove_prefix(next.size_bytes);
  }
  return plain;
}

std::size_t Columns(std::string_view text) {
  std::size_t columns = 0;
  for (; !text.empty(); ++columns) text.remove_prefix(NextCodePoint(text).size_bytes);
  return columns;
}

}  // namespace outgrown::evaluate
