// Strings as YAML scalars, plain only where no reader could take them for something else.
#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "common/utf8.h"
#include "rulegen/artefacts/escape.h"

namespace outgrown::emit {
namespace {

// Words that YAML 1.1 or 1.2 reads as something else than a string, whatever their case. Prefixes of numbers
// (.inf, 0x) don't occur: a plain scalar starts with a letter here.
constexpr std::array<std::string_view, 11> kReserved = {"y",  "n",   "yes",  "no",  "true", "false",
                                                        "on", "off", "null", "nan", "inf"};

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool IsPlain(std::string_view text) {
  if (text.empty() || !IsLetter(text.front()) || text.back() == ':') return false;
  const bool harmless = std::ranges::all_of(text, [](char c) {
    return IsLetter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '/' || c == ':';
  });
  if (!harmless) return false;
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return std::ranges::count(kReserved, lower) == 0;
}

// A character that stands for itself between quotes in one line.
bool IsPrintable(char32_t c) {
  if (c < 0x80) return c >= ' ' && c < 0x7F;
  const bool line_break = c == 0x85 || c == 0x2028 || c == 0x2029;
  const bool non_character = c == 0xFEFF || (c & 0xFFFEU) == 0xFFFE;
  return c >= 0xA0 && !line_break && !non_character;
}

void AppendDoubleQuoted(std::string& scalar, char32_t c) {
  if (c == '"' || c == '\\') {
    scalar += '\\';
    scalar += static_cast<char>(c);
  } else if (c == '\n') {
    scalar += "\\n";
  } else if (IsPrintable(c)) {
    AppendUtf8(scalar, c);
  } else if (c <= 0xFF) {
    scalar += fmt::format("\\x{:02X}", static_cast<unsigned>(c));
  } else if (c <= 0xFFFF) {
    scalar += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
  } else {
    scalar += fmt::format("\\U{:08X}", static_cast<unsigned>(c));
  }
}

}  // namespace

std::string YamlString(std::string_view text) {
  if (IsPlain(text)) return std::string(text);
  bool one_line = true;
  std::string single = "'";
  std::string doubled = "\"";
  while (!text.empty()) {
    const CodePoint next = NextCodePoint(text);
    const char32_t c = next.value;
    text.remove_prefix(next.size_bytes);
    one_line = one_line && IsPrintable(c);
    if (c == '\'') single += '\'';
    AppendUtf8(single, c);
    AppendDoubleQuoted(doubled, c);
  }
  return one_line ? single + "'" : doubled + "\"";
}

}  // namespace outgrown::emit
