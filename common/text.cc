#include "common/text.h"

#include "common/utf8.h"

namespace outgrown {

bool IsControl(char32_t code_point) {
  return code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0) ||
         (code_point >= 0x2028 && code_point <= 0x202E) || (code_point >= 0x2066 && code_point <= 0x2069);
}

std::string PlainText(std::string_view text, std::size_t code_points_max) {
  std::string plain;
  for (std::size_t count = 0; !text.empty(); ++count) {
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

}  // namespace outgrown
