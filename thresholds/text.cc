#include "thresholds/text.h"

#include <fmt/format.h>

namespace outgrown::spec {

std::optional<char32_t> FirstCharacter(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return first;
  // Length, the bits of the first byte, and the smallest code point that needs this length (RFC 3629, section 3).
  std::size_t length = 0;
  char32_t value = 0;
  char32_t smallest = 0;
  if ((first & 0xE0U) == 0xC0U) {
    length = 2, value = first & 0x1FU, smallest = 0x80;
  } else if ((first & 0xF0U) == 0xE0U) {
    length = 3, value = first & 0x0FU, smallest = 0x800;
  } else if ((first & 0xF8U) == 0xF0U) {
    length = 4, value = first & 0x07U, smallest = 0x10000;
  } else {
    return std::nullopt;
  }
  if (text.size() < length) return std::nullopt;
  for (std::size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0U) != 0x80U) return std::nullopt;
    value = (value << 6U) | (byte & 0x3FU);
  }
  const bool is_surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < smallest || value > 0x10FFFF || is_surrogate) return std::nullopt;
  return value;
}

std::size_t CharacterLength(std::string_view text) {
  const std::optional<char32_t> character = FirstCharacter(text);
  if (!character || *character < 0x80) return 1;
  if (*character < 0x800) return 2;
  return *character < 0x10000 ? 3 : 4;
}

bool IsControl(char32_t character) {
  return character < 0x20 || (character >= 0x7F && character <= 0x9F) || IsDirectionMark(character) ||
         character == 0x2028 || character == 0x2029 || character == 0xFEFF;
}

bool IsDirectionMark(char32_t character) {
  return (character >= 0x202A && character <= 0x202E) || (character >= 0x2066 && character <= 0x2069) ||
         character == 0x200E || character == 0x200F || character == 0x061C;
}

std::string Printable(std::string_view character) {
  const std::optional<char32_t> value = FirstCharacter(character);
  if (value && (*value == U'\t' || !IsControl(*value))) return std::string(character);
  if (value && *value >= 0x80) return fmt::format("\\u{:04x}", static_cast<unsigned>(*value));
  std::string escaped;
  for (const char byte : character) escaped += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
  return escaped;
}

std::string PrintableInLine(std::string_view character) {
  return character == "\t" ? "\\x09" : Printable(character);
}

std::optional<std::size_t> FindControl(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); at += CharacterLength(text.substr(at))) {
    const std::optional<char32_t> character = FirstCharacter(text.substr(at));
    if (!character || IsControl(*character)) return at;
  }
  return std::nullopt;
}

}  // namespace outgrown::spec
