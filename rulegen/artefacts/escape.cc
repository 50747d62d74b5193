// Strings as YAML scalars, plain only where no reader could take them for something else.
#include "rulegen/artefacts/escape.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "common/text.h"

namespace outgrown::artefacts {

namespace {

// Words that YAML 1.1 or 1.2 reads as something else than a string, whatever their case. Prefixes of numbers
// (.inf, 0x) don't occur: a plain scalar starts with a letter here.
constexpr std::array<std::string_view, 11> kReserved = {"y",  "n",   "yes",  "no",  "true", "false",
                                                        "on", "off", "null", "nan", "inf"};

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Quotes where they are not needed are harmless, so this only accepts what is plain in every context: behind
// "key:", behind "-" and within [a, b], where "," and "]" would end the scalar.
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

// A character that can be written as it is between quotes in one line.
// YAML 1.1, which Prometheus' reader follows, also breaks lines at U+0085, U+2028 and U+2029 (its section
// 5.4).
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

// Single quotes are preferred, since nothing but a quote is escaped within them and PromQL keeps its
// backslashes as they are. Linear in the text.
std::string YamlString(std::string_view text) {
  if (IsPlain(text)) return std::string(text);
  // Most texts by far: to decode each of their characters would take 8 % more of --generate.
  if (std::ranges::all_of(text, [](char c) { return c >= ' ' && c < 0x7F; })) {
    std::string single = "'";
    single.reserve(text.size() + 2);
    for (const char c : text) {
      if (c == '\'') single += c;
      single += c;
    }
    return single + "'";
  }
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

// Text in a Go template that has to come out as it went in.
// Prometheus expands annotations and labels of alerts as text/template; "{{" is the only thing that begins an
// action.

std::string GoTemplateText(std::string_view text) {
  std::string escaped;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '{') {
      escaped += text[at++];
      continue;
    }
    // A whole run of braces becomes one action that prints it, also a single one at the end: an action may
    // follow there.
    const std::size_t end = std::min(text.find_first_not_of('{', at), text.size());
    const bool harmless = end - at == 1 && end < text.size();
    const std::string run(text.substr(at, end - at));
    escaped += harmless ? run : "{{\"" + run + "\"}}";
    at = end;
  }
  return escaped;
}

// Two braces only, and not a whole run as above: the rest is PromQL, and people read it.
std::string HelmText(std::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    const bool action = text.starts_with("{{");
    escaped += action ? "{{ \"{{\" }}" : text.substr(0, 1);
    text.remove_prefix(action ? 2 : 1);
  }
  return escaped;
}

// Text in a Grafana dashboard: Grafana has no escape for its variables, so a zero-width character separates
// what would be one.

namespace {

constexpr std::string_view kWordJoiner = "\xE2\x81\xA0";  // U+2060

// $name, ${name} and [[name]].
bool BeginsVariable(std::string_view text, std::size_t at) {
  if (at + 1 >= text.size()) return false;
  const char next = text[at + 1];
  if (text[at] == '[') return next == '[';
  return text[at] == '$' && (next == '{' || next == '_' || (next >= '0' && next <= '9') ||
                             (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z'));
}

}  // namespace

std::string GrafanaText(std::string_view text) {
  std::string escaped;
  for (std::size_t i = 0; i < text.size(); ++i) {
    escaped += text[i];
    if (BeginsVariable(text, i)) escaped += kWordJoiner;
  }
  return escaped;
}

// Text in Markdown as GitHub renders it, inline and in a table's cell.

namespace {

// CommonMark lets a backslash escape these. The others of its list have a meaning only at the start of a line, which
// this text never is, or only together with one of these.
bool HasMeaning(char c) {
  // "~" strikes out, "|" ends a table's cell, "$" begins mathematics and "@" mentions (and notifies) a user
  // on GitHub.
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

// A line break in a text would end the table's row or the list's item that it is in.
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
  // CommonMark removes one blank at each end of a code span; with a backtick next to the fence the fence
  // would grow.
  const std::string pad = longest > 0 || line.starts_with(' ') ? " " : "";
  return fence + pad + inside + pad + fence;
}

}  // namespace outgrown::artefacts
