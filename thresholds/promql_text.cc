// An expression of PromQL in one spelling, whatever its blanks and brackets (promql.h).
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/text.h"
#include "common/time_text.h"
#include "thresholds/promql.h"

namespace outgrown::spec {
namespace {

using spec::TokenKind;

// What a token is to the one behind it.
// Only neighbours decide about spaces and signs, so no tree is needed.
enum class PieceKind { kOperand, kFunction, kKeyword, kOperator, kSign, kOpen, kClose, kComma, kColon };

struct Piece {
  PieceKind kind;
  std::string text;
};

// Words that an opening parenthesis follows with a space: no function names.
constexpr std::array<std::string_view, 12> kKeywords = {"and",        "atan2",       "bool",     "by",
                                                        "group_left", "group_right", "ignoring", "offset",
                                                        "on",         "or",          "unless",   "without"};

// 'a' and `a` as "a" where that needs no escape; everything else as written.
std::string CanonicalString(std::string_view literal) {
  // Prometheus prints every string by Go's strconv.Quote; where that needs an escape, ours could differ from
  // it, so the text stays.
  const bool simple = literal.front() != '"' && std::ranges::all_of(literal, [](char c) {
                        return c >= ' ' && c < '\x7f' && c != '"' && c != '\\';
                      });
  if (!simple) return std::string(literal);
  return '"' + std::string(literal.substr(1, literal.size() - 2)) + '"';
}

std::string CanonicalNumber(std::string_view text) {
  const std::optional<double> number = ParseNumber(text);
  return number ? PromqlNumber(*number) : std::string(text);  // a hexadecimal one stays
}

std::string CanonicalDuration(std::string_view text) {
  const std::optional<Milliseconds> duration = ParseDuration(text);
  return duration ? FormatDuration(*duration) : std::string(text);
}

// Tokens as Prometheus prints them, without the spaces between them.
class Pieces {
 public:
  std::vector<Piece> From(const std::vector<spec::Token>& tokens) {
    for (const spec::Token& token : tokens) Add(token);
    return std::move(pieces_);
  }

 private:
  void Add(const spec::Token& token) {
    switch (token.kind) {
      case TokenKind::kName:
        return Push(NameKind(token.text), std::string(token.text));
      case TokenKind::kNumber:
        return Push(PieceKind::kOperand, CanonicalNumber(token.text));
      case TokenKind::kDuration:
        return Push(PieceKind::kOperand, CanonicalDuration(token.text));
      case TokenKind::kString:
        return Push(PieceKind::kOperand, CanonicalString(token.text));
      case TokenKind::kPunctuation:
        return Punctuation(token.text);
    }
  }

  void Push(PieceKind kind, std::string text) { pieces_.push_back({kind, std::move(text)}); }

  PieceKind NameKind(std::string_view name) const {
    // Inside of braces "on" or "bool" are labels' names.
    return !in_braces_ && std::ranges::count(kKeywords, name) > 0 ? PieceKind::kKeyword
                                                                  : PieceKind::kFunction;
  }

  // True where an operand must follow, so that + and - are signs.
  bool ExpectsOperand() const {
    if (pieces_.empty()) return true;
    const PieceKind before = pieces_.back().kind;
    return before != PieceKind::kOperand && before != PieceKind::kFunction && before != PieceKind::kClose;
  }

  void Punctuation(std::string_view text) {
    if (text == "{") in_braces_ = true;
    if (text == "}") {
      in_braces_ = false;
      return CloseBraces();
    }
    Push(PunctuationKind(text), std::string(text));
  }

  PieceKind PunctuationKind(std::string_view text) const {
    if (text == "(" || text == "{" || text == "[") return PieceKind::kOpen;
    if (text == ")" || text == "]") return PieceKind::kClose;
    if (text == ",") return PieceKind::kComma;
    if (text == ":") return PieceKind::kColon;
    if (text == "+" || text == "-") return ExpectsOperand() ? PieceKind::kSign : PieceKind::kOperator;
    return PieceKind::kOperator;
  }

  // x{} is x; a comma before the closing brace is none.
  void CloseBraces() {
    if (!pieces_.empty() && pieces_.back().kind == PieceKind::kComma) pieces_.pop_back();
    const std::size_t count = pieces_.size();
    const bool nothing_inside =
        count >= 2 && pieces_[count - 1].text == "{" && pieces_[count - 2].kind == PieceKind::kFunction;
    if (nothing_inside) {
      pieces_.pop_back();
    } else {
      Push(PieceKind::kClose, "}");
    }
  }

  bool in_braces_ = false;
  std::vector<Piece> pieces_;
};

// The pieces [first, last) between two braces: matchers in the order of their texts.
void SortBetween(std::vector<Piece>& pieces, std::size_t first, std::size_t last) {
  // Prometheus prints matchers sorted (promql/parser/printer.go sorts the label strings), whatever the
  // author's order.
  std::vector<std::string> matchers(1);
  for (std::size_t i = first; i < last; ++i) {
    if (pieces[i].kind == PieceKind::kComma) {
      matchers.emplace_back();
    } else {
      matchers.back() += pieces[i].text;
    }
  }
  std::ranges::sort(matchers);
  std::string text;
  for (const std::string& matcher : matchers) text += (text.empty() ? "" : ",") + matcher;
  // The whole list becomes one piece, so that the search for the closing brace goes on right behind it.
  pieces[first] = {PieceKind::kOperand, std::move(text)};
  pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(first) + 1,
               pieces.begin() + static_cast<std::ptrdiff_t>(last));
}

void SortMatchers(std::vector<Piece>& pieces) {
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (pieces[i].text != "{") continue;
    std::size_t close = i + 1;
    while (close < pieces.size() && pieces[close].text != "}") ++close;
    if (close < pieces.size() && close > i + 1) SortBetween(pieces, i + 1, close);
  }
}

bool SpaceBetween(const Piece& left, const Piece& right) {
  // No space inside of brackets, behind a sign, or around a subquery's colon.
  if (left.kind == PieceKind::kOpen || left.kind == PieceKind::kSign || left.kind == PieceKind::kColon)
    return false;
  if (right.kind == PieceKind::kClose || right.kind == PieceKind::kComma || right.kind == PieceKind::kColon)
    return false;
  // rate(x), but `sum by (job) (x)` and `and on (job)`.
  if (right.kind == PieceKind::kOpen && right.text == "(") return left.kind != PieceKind::kFunction;
  if (right.kind == PieceKind::kOpen)
    return left.kind != PieceKind::kFunction && left.kind != PieceKind::kClose;
  return true;
}

}  // namespace

std::string PromqlNumber(double value) {
  if (!std::isfinite(value) || value == 0) return ExactNumber(value);
  // -2.2250738585072014e-308 is the longest of them: 24 characters.
  std::array<char, 32> buffer{};
  const auto written = std::to_chars(buffer.begin(), buffer.end(), value, std::chars_format::scientific);
  const std::string_view scientific(buffer.data(), static_cast<std::size_t>(written.ptr - buffer.data()));
  const std::size_t e = scientific.find('e');
  int exponent = 0;
  const bool negative = scientific[e + 1] == '-';
  std::from_chars(scientific.data() + e + 2, scientific.data() + scientific.size(), exponent);
  if (negative) exponent = -exponent;
  // Go's 'g' with the shortest digits goes to the exponent form here.
  // strconv/ftoa.go: with the shortest digits %e is used if the exponent is below -4 or at least 6 (eprec).
  // Both languages write at least two digits of it.
  if (exponent < -4 || exponent >= 6) return std::string(scientific);
  return ExactNumber(value);
}

std::string PromqlString(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string literal = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      literal += '\\';
      literal += c;
    } else if (c == '\n') {
      literal += "\\n";
      // Go's \x escape takes exactly two digits, so what follows can't become a part of it.
    } else if (byte < ' ' || byte == 0x7f) {
      literal += "\\x";
      literal += kHex[byte >> 4U];
      literal += kHex[byte & 15U];
    } else {
      literal += c;
    }
  }
  literal += '"';
  return literal;
}

std::string CanonicalPromql(std::string_view expr) {
  const spec::Lexed lexed = spec::LexPromql(expr);
  if (lexed.problem) return std::string(expr);
  std::vector<Piece> pieces = Pieces().From(lexed.tokens);
  SortMatchers(pieces);
  std::string text;
  bool in_braces = false;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (i > 0 && !in_braces && SpaceBetween(pieces[i - 1], pieces[i])) text += ' ';
    if (pieces[i].text == "{") in_braces = true;
    if (pieces[i].text == "}") in_braces = false;
    text += pieces[i].text;
  }
  return text;
}

}  // namespace outgrown::spec
