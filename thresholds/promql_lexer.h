// PromQL as tokens: names, numbers, strings, durations and punctuation, each with its place. No parser: what an
// expression means is Prometheus' business; which series, labels and ranges it names is found by
// promql_references.h.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

}  // namespace outgrown::spec
