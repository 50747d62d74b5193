// Reads a C++ string literal back by the standard's rules for escapes (no trigraphs, as C++17 has none; their
// pieces are refused instead, because a compiler in another mode would replace them).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace outgrown::test {

inline std::optional<std::string> ReadCppLiteral(std::string_view literal) {
  if (literal.size() < 2 || literal.front() != '"' || literal.back() != '"') return {};
  if (literal.find("??") != std::string_view::npos) return {};
  literal = literal.substr(1, literal.size() - 2);
  std::string text;
  for (std::size_t at = 0; at < literal.size(); ++at) {
    const char c = literal[at];
    if (c == '"' || static_cast<unsigned char>(c) < ' ' || static_cast<unsigned char>(c) >= 0x7f) return {};
    if (c != '\\') {
      text += c;
      continue;
    }
    if (++at == literal.size()) return {};
    if (literal[at] == '"' || literal[at] == '\\' || literal[at] == '?') {
      text += literal[at];
      continue;
    }
    int value = 0;
    int digits = 0;
    while (digits < 3 && at < literal.size() && literal[at] >= '0' && literal[at] <= '7') {
      value = value * 8 + (literal[at++] - '0');
      ++digits;
    }
    if (digits == 0 || value > 255) return {};
    --at;
    text += static_cast<char>(value);
  }
  return text;
}

}  // namespace outgrown::test
