// Numbers as exact text: what is written reads back bit for bit.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace outgrown {

// The shortest decimal text that reads back as the same double, as Prometheus' canonical PromQL prints it
// (Go's strconv 'f' format, no exponent): 0.01, 100, 5368709120, 0.000001. "+Inf", "-Inf" and "NaN" for those.
// Valid for every double as a PromQL literal, a JSON number (finite ones) and a YAML float.
std::string ExactNumber(double value);

// The double that `text` spells, the whole of it (decimal, exponent, inf and nan as from_chars takes them);
// nothing if there is any other character. Independent of the locale.
std::optional<double> ParseNumber(std::string_view text);

}  // namespace outgrown
