#include <cstddef>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "rulegen/emit/escape.h"
#include "rulegen/emit/utf8.h"

namespace outgrown::emit {

std::string JsonString(std::string_view text) {
  std::string literal = "\"";
  for (std::size_t at = 0; at < text.size();) {
    const char32_t c = NextCodePoint(text, at);
    if (c == '"' || c == '\\') {
      literal += '\\';
      literal += static_cast<char>(c);
    } else if (c == '\n') {
      literal += "\\n";
    } else if (c < ' ' || c == 0x7F) {
      literal += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      AppendUtf8(literal, c);
    }
  }
  literal += '"';
  return literal;
}

}  // namespace outgrown::emit
