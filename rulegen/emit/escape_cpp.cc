// Strings and numbers as C++ literals.
#include <cmath>
#include <string>
#include <string_view>

#include "common/check.h"
#include "common/number.h"
#include "rulegen/emit/escape.h"

namespace outgrown::emit {

std::string CppString(std::string_view text) {
  std::string literal = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      literal += '\\';
      literal += c;
    } else if (byte >= ' ' && byte < 0x7f && c != '?') {
      literal += c;
    } else if (c == '?') {
      literal += literal.ends_with('?') ? "\\?" : "?";  // no trigraph
    } else {
      // Three octal digits end the escape by themselves; a hexadecimal one would swallow digits that follow.
      literal += '\\';
      literal += static_cast<char>('0' + (byte >> 6U));
      literal += static_cast<char>('0' + ((byte >> 3U) & 7U));
      literal += static_cast<char>('0' + (byte & 7U));
    }
  }
  literal += '"';
  return literal;
}

std::string CppDouble(double value) {
  OUTGROWN_CHECK(std::isfinite(value));
  std::string literal = ExactNumber(value);
  if (literal.find('.') == std::string::npos) literal += ".0";  // an integer's literal could overflow
  return literal;
}

}  // namespace outgrown::emit
