#include "rulegen/plan/promql.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/duration.h"
#include "common/number.h"

namespace outgrown::plan {
namespace {

enum class Kind { kWord, kKeyword, kNumber, kString, kOperator, kUnary, kOpen, kClose, kComma, kColon, kAt };

struct Token {
  Kind kind;
  std::string text;
};

// Words that an opening parenthesis follows with a space: no function names.
constexpr std::array<std::string_view, 12> kKeywords = {"and",        "atan2",       "bool",     "by",
                                                        "group_left", "group_right", "ignoring", "offset",
                                                        "on",         "or",          "unless",   "without"};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsWordStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':'; }
bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// 'a' and `a` as "a" where that needs no escape; everything else as written.
std::string CanonicalString(std::string_view literal) {
  const bool simple =
      literal.size() >= 2 && literal.front() != '"' &&
      std::ranges::all_of(literal, [](char c) { return c >= ' ' && c < '\x7f' && c != '"' && c != '\\'; });
  if (!simple) return std::string(literal);
  return '"' + std::string(literal.substr(1, literal.size() - 2)) + '"';
}

std::string CanonicalNumber(const std::string& text) {
  if (const std::optional<double> number = ParseNumber(text)) return PromqlNumber(*number);
  if (const std::optional<Milliseconds> duration = ParseDuration(text)) return FormatDuration(*duration);
  return text;
}

// Reads one token after another.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::vector<Token> All() {
    for (SkipBlank(); at_ < text_.size(); SkipBlank()) Next();
    return std::move(tokens_);
  }

 private:
  void SkipBlank() {
    while (at_ < text_.size() && (IsSpace(text_[at_]) || text_[at_] == '#')) {
      if (text_[at_] == '#') at_ = std::min(text_.find('\n', at_), text_.size());
      if (at_ < text_.size()) ++at_;
    }
  }

  void Next() {
    const char c = text_[at_];
    if (c == '"' || c == '\'' || c == '`') return String(c);
    if (IsDigit(c) || (c == '.' && at_ + 1 < text_.size() && IsDigit(text_[at_ + 1]))) return Number();
    if (IsWordStart(c) && !(c == ':' && in_brackets_)) return Word();
    Punctuation(c);
  }

  void Add(Kind kind, std::string text) { tokens_.push_back({kind, std::move(text)}); }

  void String(char quote) {
    std::size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != quote) end += text_[end] == '\\' && quote != '`' ? 2 : 1;
    end = std::min(end + 1, text_.size());
    Add(Kind::kString, CanonicalString(text_.substr(at_, end - at_)));
    at_ = end;
  }

  void Number() {
    std::size_t end = at_;
    const bool hexadecimal = text_.substr(at_, 2) == "0x" || text_.substr(at_, 2) == "0X";
    while (end < text_.size()) {
      const char c = text_[end];
      const char before = end > at_ ? text_[end - 1] : ' ';
      const bool sign_of_exponent =
          (c == '+' || c == '-') && (before == 'e' || before == 'E') && !hexadecimal;
      if (!IsDigit(c) && c != '.' && !sign_of_exponent && (!IsWordStart(c) || c == ':')) break;
      ++end;
    }
    Add(Kind::kNumber, CanonicalNumber(std::string(text_.substr(at_, end - at_))));
    at_ = end;
  }

  void Word() {
    std::size_t end = at_;
    while (end < text_.size() && (IsWordStart(text_[end]) || IsDigit(text_[end]))) ++end;
    const std::string_view word = text_.substr(at_, end - at_);
    Add(!in_braces_ && std::ranges::count(kKeywords, word) > 0 ? Kind::kKeyword : Kind::kWord,
        std::string(word));
    at_ = end;
  }

  // True where an operand must follow, so that + and - are signs.
  bool ExpectsOperand() const {
    if (tokens_.empty()) return true;
    const Kind before = tokens_.back().kind;
    return before == Kind::kOperator || before == Kind::kUnary || before == Kind::kOpen ||
           before == Kind::kComma || before == Kind::kKeyword || before == Kind::kColon ||
           before == Kind::kAt;
  }

  void Punctuation(char c) {
    const std::string_view two = text_.substr(at_, 2);
    if (two == "==" || two == "!=" || two == ">=" || two == "<=" || two == "=~" || two == "!~") {
      Add(Kind::kOperator, std::string(two));
      at_ += 2;
      return;
    }
    ++at_;
    const std::string text(1, c);
    switch (c) {
      case '(':
        return Add(Kind::kOpen, text);
      case '{':
        in_braces_ = true;
        return Add(Kind::kOpen, text);
      case '[':
        in_brackets_ = true;
        return Add(Kind::kOpen, text);
      case '}':
        in_braces_ = false;
        return CloseBraces();
      case ']':
        in_brackets_ = false;
        return Add(Kind::kClose, text);
      case ')':
        return Add(Kind::kClose, text);
      case ',':
        return Add(Kind::kComma, text);
      case ':':
        return Add(Kind::kColon, text);
      case '@':
        return Add(Kind::kAt, text);
      case '+':
      case '-':
        return Add(ExpectsOperand() ? Kind::kUnary : Kind::kOperator, text);
      default:
        return Add(Kind::kOperator, text);
    }
  }

  // x{} is x; a comma before the closing brace is none.
  void CloseBraces() {
    if (!tokens_.empty() && tokens_.back().kind == Kind::kComma) tokens_.pop_back();
    const std::size_t count = tokens_.size();
    const bool nothing_inside =
        count >= 2 && tokens_[count - 1].text == "{" && tokens_[count - 2].kind == Kind::kWord;
    if (nothing_inside) {
      tokens_.pop_back();
    } else {
      Add(Kind::kClose, "}");
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool in_braces_ = false;
  bool in_brackets_ = false;
  std::vector<Token> tokens_;
};

bool SpaceBetween(const Token& left, const Token& right) {
  if (left.kind == Kind::kOpen || left.kind == Kind::kUnary || left.kind == Kind::kColon) return false;
  if (right.kind == Kind::kClose || right.kind == Kind::kComma || right.kind == Kind::kColon) return false;
  if (right.text == "[" || right.text == "{") {
    return left.kind == Kind::kKeyword || left.kind == Kind::kOperator || left.kind == Kind::kComma;
  }
  if (right.text == "(" && right.kind == Kind::kOpen) return left.kind != Kind::kWord;
  return true;
}

}  // namespace

std::string PromqlNumber(double value) {
  if (!std::isfinite(value) || value == 0) return ExactNumber(value);
  std::array<char, 32> buffer{};
  const auto written = std::to_chars(buffer.begin(), buffer.end(), value, std::chars_format::scientific);
  const std::string_view scientific(buffer.data(), static_cast<std::size_t>(written.ptr - buffer.data()));
  const std::size_t e = scientific.find('e');
  int exponent = 0;
  const bool negative = scientific[e + 1] == '-';
  std::from_chars(scientific.data() + e + 2, scientific.data() + scientific.size(), exponent);
  if (negative) exponent = -exponent;
  // Go's 'g' with the shortest digits goes to the exponent form here.
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

std::string NormalisePromql(std::string_view expr) {
  std::string text;
  const std::vector<Token> tokens = Lexer(expr).All();
  bool in_braces = false;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (i > 0 && !in_braces && SpaceBetween(tokens[i - 1], tokens[i])) text += ' ';
    if (tokens[i].text == "{") in_braces = true;
    if (tokens[i].text == "}") in_braces = false;
    text += tokens[i].text;
  }
  return text;
}

}  // namespace outgrown::plan
