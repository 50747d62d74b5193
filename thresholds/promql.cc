#include "thresholds/promql.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/text.h"
#include "common/time_text.h"
#include "thresholds/diagnostic.h"

namespace outgrown::spec {
namespace {

// Source: https://prometheus.io/docs/prometheus/2.42/querying/functions/ without holt_winters, which 3.0
// renamed.
constexpr auto kFunctions = std::to_array<std::string_view>({
    "abs",
    "absent",
    "absent_over_time",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "avg_over_time",
    "ceil",
    "changes",
    "clamp",
    "clamp_max",
    "clamp_min",
    "cos",
    "cosh",
    "count_over_time",
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "days_in_month",
    "deg",
    "delta",
    "deriv",
    "exp",
    "floor",
    "histogram_count",
    "histogram_fraction",
    "histogram_quantile",
    "histogram_sum",
    "hour",
    "idelta",
    "increase",
    "irate",
    "label_join",
    "label_replace",
    "last_over_time",
    "ln",
    "log10",
    "log2",
    "max_over_time",
    "min_over_time",
    "minute",
    "month",
    "pi",
    "predict_linear",
    "present_over_time",
    "quantile_over_time",
    "rad",
    "rate",
    "resets",
    "round",
    "scalar",
    "sgn",
    "sin",
    "sinh",
    "sort",
    "sort_desc",
    "sqrt",
    "stddev_over_time",
    "stdvar_over_time",
    "sum_over_time",
    "tan",
    "tanh",
    "time",
    "timestamp",
    "vector",
    "year",
});
// Asked of Debian 12's VictoriaMetrics 1.79, function by function.
constexpr auto kNotInVictoriaMetrics = std::to_array<std::string_view>(
    {"day_of_year", "histogram_count", "histogram_fraction", "histogram_sum"});
// Source: https://prometheus.io/docs/prometheus/2.42/querying/operators/#aggregation-operators; limitk and
// limit_ratio of 3.0 are experimental.
constexpr auto kAggregations = std::to_array<std::string_view>({
    "avg",
    "bottomk",
    "count",
    "count_values",
    "group",
    "max",
    "min",
    "quantile",
    "stddev",
    "stdvar",
    "sum",
    "topk",
});
constexpr auto kGroupings =
    std::to_array<std::string_view>({"by", "without", "on", "ignoring", "group_left", "group_right"});
// Words that name nothing; all in lower case, in which PromQL's keywords may be written or not.
constexpr auto kKeywords = std::to_array<std::string_view>(
    {"and", "or", "unless", "atan2", "bool", "offset", "inf", "nan", "start", "end"});

}  // namespace

// ASCII alone: PromQL's keywords are.
std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::span<const std::string_view> FunctionNames() { return kFunctions; }

bool IsInVictoriaMetrics(std::string_view function) { return !Contains(kNotInVictoriaMetrics, function); }

bool IsAggregation(std::string_view name) { return Contains(kAggregations, LowerCase(name)); }

bool IsGrouping(std::string_view name) { return Contains(kGroupings, LowerCase(name)); }

bool IsKeyword(std::string_view name) { return Contains(kKeywords, LowerCase(name)); }

namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
// Prometheus' lexer (promql/parser/lex.go, isSpace) takes these four.
bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Longest first.
constexpr std::array<std::string_view, 24> kPunctuation = {"=~", "!~", "!=", "==", ">=", "<=", "(", ")",
                                                           "{",  "}",  "[",  "]",  ",",  ":",  "=", ">",
                                                           "<",  "+",  "-",  "*",  "/",  "%",  "^", "@"};

// Go's strconv takes 0x1F, std::from_chars as a double does not.
bool IsHexadecimal(std::string_view text) {
  if (!text.starts_with("0x") && !text.starts_with("0X")) return false;
  text.remove_prefix(2);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return error == std::errc() && end == text.data() + text.size();
}

class Lexer {
 public:
  explicit Lexer(std::string_view expression) : expression_(expression) {}

  Lexed Run() {
    while (!lexed_.problem && SkipToToken()) Next();
    return std::move(lexed_);
  }

 private:
  char At(std::size_t at) const { return at < expression_.size() ? expression_[at] : '\0'; }

  bool SkipToToken() {
    while (at_ < expression_.size()) {
      if (IsSpace(expression_[at_])) {
        ++at_;
      } else if (expression_[at_] == '#') {
        while (at_ < expression_.size() && expression_[at_] != '\n') ++at_;
      } else {
        return true;
      }
    }
    return false;
  }

  void Add(TokenKind kind, std::size_t length) {
    lexed_.tokens.push_back({kind, expression_.substr(at_, length), at_});
    at_ += length;
  }

  void Fail(std::string found, std::string expected) {
    lexed_.problem = Problem{at_, std::move(found), std::move(expected)};
  }

  void Next() {
    const char c = expression_[at_];
    if (c == '"' || c == '\'' || c == '`') {
      String(c);
    } else if (IsDigit(c) || (c == '.' && IsDigit(At(at_ + 1)))) {
      Number();
    } else if (IsNameStart(c) || (c == ':' && brackets_ == 0)) {
      Name();
    } else {
      Punctuation();
    }
  }

  void String(char quote) {
    std::size_t end = at_ + 1;
    while (end < expression_.size() && expression_[end] != quote) {
      // Backquotes hold raw strings of Go: no escapes, and newlines are allowed.
      if (quote != '`') {
        if (expression_[end] == '\n') break;
        if (expression_[end] == '\\') ++end;
      }
      ++end;
    }
    if (end >= expression_.size() || expression_[end] != quote) {
      Fail("a string that doesn't end", std::string("a closing ") + quote);
      return;
    }
    Add(TokenKind::kString, end + 1 - at_);
  }

  // Takes what could be one number or duration, then asks which it is.
  void Number() {
    std::size_t end = at_;
    const bool hexadecimal = At(at_) == '0' && (At(at_ + 1) == 'x' || At(at_ + 1) == 'X');
    while (IsDigit(At(end)) || IsNameStart(At(end)) || At(end) == '.') {
      // In 0x1e-5 the e is a digit, and -5 is subtracted.
      const bool exponent = !hexadecimal && (At(end) == 'e' || At(end) == 'E');
      ++end;
      if (exponent && (At(end) == '+' || At(end) == '-') && IsDigit(At(end + 1))) ++end;
    }
    const std::string_view text = expression_.substr(at_, end - at_);
    if (ParseNumber(text) || IsHexadecimal(text)) {
      Add(TokenKind::kNumber, text.size());
    } else if (ParseDuration(text)) {
      Add(TokenKind::kDuration, text.size());
    } else {
      Fail(Quoted(text), "a number or a duration such as 5m");
    }
  }

  void Name() {
    std::size_t end = at_;
    while (IsNameStart(At(end)) || IsDigit(At(end)) || (At(end) == ':' && brackets_ == 0)) ++end;
    Add(TokenKind::kName, end - at_);
  }

  void Punctuation() {
    const std::string_view rest = expression_.substr(at_);
    for (const std::string_view candidate : kPunctuation) {
      if (!rest.starts_with(candidate)) continue;
      if (candidate == "[") ++brackets_;
      if (candidate == "]" && brackets_ > 0) --brackets_;
      Add(TokenKind::kPunctuation, candidate.size());
      return;
    }
    Fail(Quoted(rest.substr(0, CharacterLength(rest))), "PromQL");
  }

  std::string_view expression_;
  std::size_t at_ = 0;
  int brackets_ = 0;  // inside [...] a colon separates range and step; elsewhere it is part of a name
  Lexed lexed_;
};

}  // namespace

Lexed LexPromql(std::string_view expression) { return Lexer(expression).Run(); }

std::string NormalisePromql(std::string_view expression) {
  const Lexed lexed = LexPromql(expression);
  if (lexed.problem) return std::string(expression);
  std::string text;
  for (const Token& token : lexed.tokens) {
    if (!text.empty()) text += ' ';
    text += token.text;
  }
  return text;
}

}  // namespace outgrown::spec
