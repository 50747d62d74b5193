#include "thresholds/promql_lexer.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

#include "common/duration.h"
#include "common/number.h"
#include "thresholds/diagnostic.h"
#include "thresholds/text.h"

namespace outgrown::spec {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Longest first.
constexpr std::array<std::string_view, 24> kPunctuation = {"=~", "!~", "!=", "==", ">=", "<=", "(", ")",
                                                           "{",  "}",  "[",  "]",  ",",  ":",  "=", ">",
                                                           "<",  "+",  "-",  "*",  "/",  "%",  "^", "@"};

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
