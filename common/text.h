// Text from outside (labels, a server's words) on its way to a terminal or a log: made plain.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace outgrown {

// C0, DEL and C1, which a terminal would interpret instead of showing. Also the invisible marks that reorder or break lines
// (U+2028, U+2029, U+202A to U+202E, U+2066 to U+2069).
bool IsControl(char32_t code_point);

// `text` with everything that a terminal could interpret, and what is not UTF-8, as U+FFFD; at most `code_points_max`,
// then "…".
std::string PlainText(std::string_view text, std::size_t code_points_max = 300);

// Columns that `text` takes, one for each code point; good enough for the Latin titles and labels of specs.
std::size_t Columns(std::string_view text);

}  // namespace outgrown
