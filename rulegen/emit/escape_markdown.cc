#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "rulegen/emit/escape.h"
#include "rulegen/emit/utf8.h"

namespace outgrown::emit {
namespace {

// CommonMark lets a backslash escape these; the others of its list have no meaning inside a line.
bool HasMeaning(char32_t c) {
  constexpr std::string_view kMeaning = "\\`*_[]<>&|~#$!";
  return c < 0x80 && kMeaning.find(static_cast<char>(c)) != std::string_view::npos;
}

bool IsBlank(char32_t c) { return c < ' ' || c == 0x7F || c == 0x85 || c == 0x2028 || c == 0x2029; }

std::string OneLine(std::string_view text) {
  std::string line;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t c = NextCodePoint(text, at);
    AppendUtf8(line, IsBlank(c) ? U' ' : c);
  }
  return line;
}

}  // namespace

std::string MarkdownText(std::string_view text) {
  std::string escaped;
  const std::string line = OneLine(text);
  for (std::size_t at = 0; at < line.size();) {
    const char32_t c = NextCodePoint(line, at);
    if (HasMeaning(c)) escaped += '\\';
    AppendUtf8(escaped, c);
  }
  return escaped;
}

std::string MarkdownCode(std::string_view text) {
  const std::string line = OneLine(text);
  // The fence is longer than any run of backticks inside; GitHub's tables take "\|" for a bar inside code
  // too.
  std::size_t longest = 0;
  std::size_t run = 0;
  std::string inside;
  for (const char c : line) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
    if (c == '|') inside += '\\';
    inside += c;
  }
  const std::string fence(longest + 1, '`');
  const std::string pad = longest > 0 || line.starts_with(' ') ? " " : "";
  return fence + pad + inside + pad + fence;
}

}  // namespace outgrown::emit
