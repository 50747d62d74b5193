// Text: UTF-8, what comes from outside made plain for a terminal or a log, and numbers that read back bit for bit.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace outgrown {

// UTF-8, one code point after another: Unicode's well-formed sequences only (no overlong form, no surrogate, nothing
// above U+10FFFF).

inline constexpr char32_t kReplacement = 0xFFFD;
inline constexpr std::string_view kReplacementUtf8 = "\xEF\xBF\xBD";

struct CodePoint {
  char32_t value = kReplacement;
  std::size_t size_bytes = 1;
  bool valid = false;  // not valid: one byte that belongs to no UTF-8 sequence
};

// The first code point of `text`. Precondition: not empty.
CodePoint NextCodePoint(std::string_view text);

// Appends it in UTF-8. Precondition: a code point that NextCodePoint gives.
void AppendUtf8(std::string& text, char32_t code_point);

// `text` with U+FFFD for every byte that is not part of a well-formed sequence.
std::string ValidUtf8(std::string_view text);

// C0, DEL and C1, which a terminal would interpret instead of showing. Also the invisible marks that reorder
// or break lines (U+2028, U+2029, U+202A to U+202E, U+2066 to U+2069).
bool IsControl(char32_t code_point);

// `text` with everything that a terminal could interpret, and what is not UTF-8, as U+FFFD; at most `code_points_max`,
// then "…".
std::string PlainText(std::string_view text, std::size_t code_points_max = 300);

// Columns that `text` takes, one for each code point; good enough for the Latin titles and labels of specs.
std::size_t Columns(std::string_view text);

// Where a text for the reader goes.
struct TextStyle {
  bool terminal = false;     // indented, with bars
  bool colour = false;       // ANSI colours
  std::size_t columns = 80;  // the terminal's width; without one nothing is fitted to it
};

// Numbers as exact text: what is written reads back bit for bit.

// The shortest decimal text that reads back as the same double, as Prometheus' canonical PromQL prints it
// (Go's strconv 'f' format, no exponent): 0.01, 100, 5368709120, 0.000001. "+Inf", "-Inf" and "NaN" for those.
// Valid for every double as a PromQL literal, a JSON number (finite ones) and a YAML float.
std::string ExactNumber(double value);

// The double that `text` spells, the whole of it (decimal, exponent, inf and nan as from_chars takes them);
// nothing if there is any other character. Independent of the locale.
std::optional<double> ParseNumber(std::string_view text);

// Whether a list of texts has that one.
bool Contains(const auto& list, std::string_view text) { return std::ranges::find(list, text) != list.end(); }

}  // namespace outgrown
