// Text in Markdown as GitHub renders it, inline and in a table's cell.
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "common/utf8.h"
#include "rulegen/artefacts/escape.h"

namespace outgrown::emit {
namespace {

// CommonMark lets a backslash escape these. The others of its list have a meaning only at the start of a line, where this
// text never stands, or only together with one of these.
bool HasMeaning(char c) {
  constexpr std::string_view kMeaning = "\\`*_[]<&|~$@";
  return kMeaning.find(c) != std::string_view::npos;
}

bool IsWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// An underscore inside a word is no emphasis: names stay readable in the source.
bool IsInsideWord(std::string_view line, std::size_t at) {
  return line[at] == '_' && at > 0 && at + 1 < line.size() && IsWordCharacter(line[at - 1]) &&
         IsWordCharacter(line[at + 1]);
}

// A bare address becomes a link, and takes the backslashes behind it along: http://x, www.x (and x@y, by its @).
bool StartsAddress(std::string_view line, std::size_t at) {
  return line.substr(at, 3) == "://" || (line[at] == '.' && at >= 3 && line.substr(at - 3, 3) == "www");
}

bool IsBlank(char32_t c) { return c < ' ' || c == 0x7F || c == 0x85 || c == 0x2028 || c == 0x2029; }

std::string OneLine(std::string_view text) {
  std::string line;
  while (!text.empty()) {
    const CodePoint next = NextCodePoint(text);
    const char32_t c = next.value;
    text.remove_prefix(next.size_bytes);
    AppendUtf8(line, IsBlank(c) ? U' ' : c);
  }
  return line;
}

}  // namespace

std::string MarkdownText(std::string_view text) {
  std::string escaped;
  const std::string line = OneLine(text);
  for (std::size_t at = 0; at < line.size(); ++at) {
    const bool meaning = HasMeaning(line[at]) && !IsInsideWord(line, at);
    if (meaning || StartsAddress(line, at)) escaped += '\\';
    escaped += line[at];
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
