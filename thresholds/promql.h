// PromQL text in the form in which Prometheus itself prints it, so that a generated rule and what
// /api/v1/rules says about it can be compared as text.
#pragma once

#include <string>
#include <string_view>

namespace outgrown::plan {

// The literal as Prometheus prints it: 0.01, 100, 5.36870912e+09, 1e-06; Inf and NaN as +Inf, -Inf, NaN.
// Source: promql/parser/printer.go, NumberLiteral.String is Go's %v.
std::string PromqlNumber(double value);

// A string literal with its quotes: Go's syntax. Precondition: valid UTF-8.
std::string PromqlString(std::string_view text);

// `expr` in one line: comments gone, one canonical spelling of spaces, durations, numbers and simple strings.
// Works on tokens, so it never changes the meaning; what is no PromQL comes back as it is. What would need a
// parser stays as written (a `by` clause behind its aggregation).
std::string CanonicalPromql(std::string_view expr);

}  // namespace outgrown::plan
