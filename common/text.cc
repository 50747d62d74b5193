#include "common/text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <system_error>

namespace outgrown {

CodePoint NextCodePoint(std::string_view text) {
  const auto byte = [&](std::size_t index) -> unsigned { return static_cast<unsigned char>(text[index]); };
  const unsigned first = byte(0);
  if (first < 0x80) return {first, 1, true};
  // Table 3-7 of the Unicode standard: the second byte's range shuts out overlong forms, surrogates and what
  // is above U+10FFFF.
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
  // One byte at a time is given up, also of a sequence that is cut short: what follows may begin a good one,
  // and no byte is swallowed (Unicode's "maximal subpart" practice would replace fewer times).
  if (size == 0 || text.size() < size) return {};
  char32_t value = first & (0xFFU >> (size + 1));
  for (std::size_t index = 1; index < size; ++index) {
    if (byte(index) < low || byte(index) > high) return {};
    value = (value << 6U) | (byte(index) & 0x3FU);
    // The narrower range is the second byte's alone.
    low = 0x80;
    high = 0xBF;
  }
  return {value, size, true};
}

void AppendUtf8(std::string& text, char32_t code_point) {
  const auto tail = [&text, code_point](unsigned shift) {
    text += static_cast<char>(0x80U | (code_point >> shift & 0x3FU));
  };
  if (code_point < 0x80) {
    text += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    text += static_cast<char>(0xC0U | code_point >> 6U);
    tail(0);
  } else if (code_point < 0x10000) {
    text += static_cast<char>(0xE0U | code_point >> 12U);
    tail(6);
    tail(0);
  } else {
    text += static_cast<char>(0xF0U | code_point >> 18U);
    tail(12);
    tail(6);
    tail(0);
  }
}

std::string ValidUtf8(std::string_view text) {
  std::string valid;
  while (!text.empty()) {
    const CodePoint next = NextCodePoint(text);
    valid += next.valid ? text.substr(0, next.size_bytes) : kReplacementUtf8;
    text.remove_prefix(next.size_bytes);
  }
  return valid;
}

bool IsControl(char32_t code_point) {
  // Terminals interpret C1 as they do ESC [: U+009B begins a control sequence. The marks that turn the
  // direction can make a verdict read as another ("Trojan Source", CVE-2021-42574).
  return code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0) ||
         (code_point >= 0x2028 && code_point <= 0x202E) || (code_point >= 0x2066 && code_point <= 0x2069);
}

std::string PlainText(std::string_view text, std::size_t code_points_max) {
  std::string plain;
  for (std::size_t count = 0; !text.empty(); ++count) {
    // Bounded here rather than by the caller, because these texts come from servers and files and end up in
    // logs.
    if (count == code_points_max) return plain + "…";
    const CodePoint next = NextCodePoint(text);
    plain += next.valid && !IsControl(next.value) ? text.substr(0, next.size_bytes) : kReplacementUtf8;
    text.remove_prefix(next.size_bytes);
  }
  return plain;
}

std::size_t Columns(std::string_view text) {
  std::size_t columns = 0;
  for (; !text.empty(); ++columns) text.remove_prefix(NextCodePoint(text).size_bytes);
  return columns;
}

std::string ExactNumber(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  // The longest text in fixed notation is the smallest subnormal's: 5e-324 has 326 characters, -1.8e308 has
  // 310.
  std::array<char, 512> buffer;
  // to_chars gives the shortest digits that read back exactly, and knows no locale; printf's decimal point
  // follows LC_NUMERIC.
  const std::to_chars_result end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed);
  return {buffer.data(), end.ptr};
}

std::optional<double> ParseNumber(std::string_view text) {
  // from_chars takes no leading plus, and Prometheus writes +Inf.
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-') || text.starts_with('+')) return std::nullopt;
  }
  double value = 0;
  const std::from_chars_result end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace outgrown
