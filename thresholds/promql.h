// PromQL as tokens: names, numbers, strings, durations and punctuation, each with its place; what an
// expression names; and how Prometheus itself writes it. No parser: what an expression means is Prometheus'
// business.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/time_text.h"

namespace outgrown::spec {

enum class TokenKind { kName, kNumber, kDuration, kString, kPunctuation };

struct Token {
  TokenKind kind;
  std::string_view text;  // as the expression has it; a string with its quotes
  std::size_t offset;     // of its first byte in the expression
};

// Something in an expression that is not right; the words are a diagnostic's.
struct Problem {
  std::size_t offset = 0;
  std::string found;
  std::string expected;
};

struct Lexed {
  std::vector<Token> tokens;       // up to the problem, if there is one; views into the expression
  std::optional<Problem> problem;  // what is no token
};

// Tokens of PromQL as of Prometheus 2.42. White space and comments (# to the end of the line) separate tokens and
// are dropped. Source: https://prometheus.io/docs/prometheus/2.42/querying/basics/.
Lexed LexPromql(std::string_view expression);

// The tokens with one space between them: equal for expressions that differ in white space and comments only. The
// text itself if it cannot be lexed.
std::string NormalisePromql(std::string_view expression);

// The functions that Prometheus 2.42 and 3.x both know, without aggregations.
std::span<const std::string_view> FunctionNames();

// Whether VictoriaMetrics knows one of these functions. vmalert -dryRun does not say so.
bool IsInVictoriaMetrics(std::string_view function);

// In upper or lower case, as PromQL takes them: sum; by, on, group_left; and, offset, nan.
bool IsAggregation(std::string_view name);
bool IsGrouping(std::string_view name);
bool IsKeyword(std::string_view name);

std::string LowerCase(std::string_view text);

struct NameUse {
  std::string_view name;
  std::size_t offset;
};

struct Matcher {
  NameUse label;
  std::string_view operation;  // "=", "!=", "=~" or "!~"
  std::string_view value;      // with its quotes
};

struct Selector {
  NameUse metric;  // an empty name for {a="b"}
  std::vector<Matcher> matchers;
  std::string_view function;  // `rate` in rate(x[5m]), the name in front of "(x"; may be empty
  bool has_range = false;     // name{...}[5m]
};

struct RangeUse {
  Milliseconds duration;
  std::string_view text;
  std::size_t offset;
};

// Views into the expression.
struct References {
  std::vector<Selector> selectors;
  std::vector<NameUse> grouping_labels;  // of by, without, on, ignoring, group_left, group_right
  std::vector<std::string> made_labels;  // by label_replace, label_join and count_values
  std::vector<NameUse>
      source_labels;               // that label_replace and label_join read; none whose string has an escape
  std::vector<RangeUse> ranges;    // of [5m] and of subqueries [1h:1m]
  std::vector<NameUse> functions;  // that are called; without aggregations
  std::vector<Problem> problems;   // not PromQL: what doesn't lex or close
};

References FindReferences(std::string_view expression);

// The literal as Prometheus prints it: 0.01, 100, 5.36870912e+09, 1e-06; Inf and NaN as +Inf, -Inf, NaN.
// Source: promql/parser/printer.go, NumberLiteral.String is Go's %v.
std::string PromqlNumber(double value);

// A string literal with its quotes: Go's syntax. Precondition: valid UTF-8.
std::string PromqlString(std::string_view text);

// `expr` in one line: comments gone, one canonical spelling of spaces, durations, numbers and simple strings.
// Works on tokens, so it never changes the meaning; what is no PromQL comes back as it is. What would need a
// parser stays as written (a `by` clause behind its aggregation). Generated rules must read the same on every machine, and
// not every server has format_query (vmalert has none): where there is one, it decides (rulegen/verify).
std::string CanonicalPromql(std::string_view expr);

}  // namespace outgrown::spec
