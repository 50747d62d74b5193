// Which series, functions and windows an expression of PromQL names (promql.h).
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/time_text.h"
#include "thresholds/diagnostic.h"
#include "thresholds/promql.h"

namespace outgrown::spec {

namespace {

std::string_view Closing(std::string_view opening) {
  if (opening == "(") return ")";
  return opening == "[" ? "]" : "}";
}

class Finder {
 public:
  explicit Finder(std::string_view expression) : expression_(expression), lexed_(LexPromql(expression)) {}

  References Run() {
    // Ends at the first problem: what follows an unclosed bracket would be misread and reported again and
    // again.
    if (lexed_.tokens.empty() && !lexed_.problem) Fail(0, "no expression", "PromQL");
    while (at_ < lexed_.tokens.size() && !failed_) Next();
    if (failed_) return std::move(found_);
    if (lexed_.problem) {
      found_.problems.push_back(std::move(*lexed_.problem));
    } else if (!open_.empty()) {
      Fail(open_.back().offset, Quoted(open_.back().text) + " that is not closed",
           "a closing " + Quoted(Closing(open_.back().text)));
    }
    return std::move(found_);
  }

 private:
  const Token* Peek(std::size_t ahead = 0) const {
    return at_ + ahead < lexed_.tokens.size() ? &lexed_.tokens[at_ + ahead] : nullptr;
  }
  bool Is(std::string_view text, std::size_t ahead = 0) const {
    const Token* token = Peek(ahead);
    return token != nullptr && token->kind == TokenKind::kPunctuation && token->text == text;
  }

  void Fail(std::size_t offset, std::string found, std::string expected) {
    found_.problems.push_back({offset, std::move(found), std::move(expected)});
    failed_ = true;
  }

  // At the current token, or at the end. What doesn't lex explains why tokens lack, so then nothing is said here.
  void FailHere(std::string expected) {
    failed_ = true;
    const Token* token = Peek();
    if (token == nullptr && lexed_.problem) {
      found_.problems.push_back(std::move(*lexed_.problem));
      return;
    }
    found_.problems.push_back({token == nullptr ? expression_.size() : token->offset,
                               token == nullptr ? "the end of the expression" : Quoted(token->text),
                               std::move(expected)});
  }

  void Next() {
    const Token& token = *Peek();
    if (token.kind == TokenKind::kName) {
      Name(token);
    } else if (Is("{")) {
      found_.selectors.push_back({{"", token.offset}, {}, Function(), false});
      Matchers(found_.selectors.back());
    } else if (Is("[")) {
      Range();
    } else {
      Bracket(token);
      ++at_;
    }
  }

  void Bracket(const Token& token) {
    if (Is("(")) {
      open_.push_back(token);
    } else if (Is(")")) {
      if (open_.empty()) {
        Fail(token.offset, "a \")\" that closes nothing", "a \"(\" before it");
      } else {
        open_.pop_back();
      }
    } else if (Is("]") || Is("}")) {
      Fail(token.offset, Quoted(token.text) + " that closes nothing", "PromQL");
    }
  }

  void Name(const Token& token) {
    // The order of these questions is that of PromQL's ambiguity: `by` is always a keyword, `sum` only in
    // front of a parenthesis or a grouping (a metric may be called sum), and what remains in front of a
    // parenthesis is a function.
    if (IsGrouping(token.text)) {
      ++at_;
      if (Is("(")) {
        GroupingLabels();
      } else if (!LowerCase(token.text).starts_with("group_")) {
        FailHere("\"(\" and labels after " + LowerCase(token.text));
      }
    } else if (IsKeyword(token.text)) {
      ++at_;
    } else if (IsAggregation(token.text) && IsAggregationHere()) {
      if (LowerCase(token.text) == "count_values") Labels("count_values");
      ++at_;
    } else if (Is("(", 1)) {
      found_.functions.push_back({token.text, token.offset});
      if (token.text == "label_replace" || token.text == "label_join") Labels(token.text);
      ++at_;
    } else {
      found_.selectors.push_back({{token.text, token.offset}, {}, Function(), false});
      ++at_;
      if (Is("{")) Matchers(found_.selectors.back());
      found_.selectors.back().has_range = Is("[");
    }
  }

  bool IsAggregationHere() const {
    if (Is("(", 1)) return true;
    const Token* next = Peek(1);
    return next != nullptr && next->kind == TokenKind::kName &&
           (LowerCase(next->text) == "by" || LowerCase(next->text) == "without");
  }

  // The name in front of the opening parenthesis before the current token: `rate` in `rate(x`.
  std::string_view Function() const {
    if (at_ < 2 || lexed_.tokens[at_ - 1].text != "(") return {};
    const Token& before = lexed_.tokens[at_ - 2];
    return before.kind == TokenKind::kName ? before.text : std::string_view();
  }

  // The strings among the arguments of the call at the current token, with the number of commas before each.
  // In front of an aggregation's arguments there may be a grouping: count_values by (job) ("version", x).
  struct Argument {
    std::size_t commas;
    Token token;
  };
  std::vector<Argument> StringArguments() const {
    std::vector<Argument> arguments;
    std::size_t depth = 0;
    std::size_t commas = 0;
    for (std::size_t i = at_ + 1; i < lexed_.tokens.size(); ++i) {
      const Token& token = lexed_.tokens[i];
      if (token.kind == TokenKind::kString && depth == 1) arguments.push_back({commas, token});
      if (token.kind != TokenKind::kPunctuation) continue;
      if (token.text == "(" || token.text == "{" || token.text == "[") ++depth;
      if (token.text == ")" || token.text == "}" || token.text == "]") {
        const bool is_grouping =
            depth == 1 && i + 1 < lexed_.tokens.size() && lexed_.tokens[i + 1].text == "(";
        if (depth == 0 || (depth == 1 && !is_grouping)) break;
        --depth;
        if (is_grouping) commas = 0;
      }
      if (token.text == "," && depth == 1) ++commas;
    }
    return arguments;
  }

  // Remembers which label the call at the current token makes, and from which: count_values("made", x),
  // label_replace(x, "made", "$1", "source", "(.*)"), label_join(x, "made", ",", "source", ...).
  void Labels(std::string_view function) {
    // A text with an escape is kept as it is written: a label's name never needs one, so it can't be the
    // label that somebody groups by.
    const std::size_t made_at = function == "count_values" ? 0 : 1;
    constexpr std::size_t kSourceAt = 3;
    bool is_made = false;
    for (const Argument& argument : StringArguments()) {
      const std::string_view text = argument.token.text.substr(1, argument.token.text.size() - 2);
      if (argument.commas >= made_at && !is_made) {
        found_.made_labels.emplace_back(text);
        is_made = true;
        continue;
      }
      const bool is_source = (function == "label_replace" && argument.commas == kSourceAt) ||
                             (function == "label_join" && argument.commas >= kSourceAt);
      // label_replace takes nothing from "".
      if (is_source && !text.empty() && text.find('\\') == std::string_view::npos)
        found_.source_labels.push_back({text, argument.token.offset + 1});
    }
  }

  void GroupingLabels() {
    ++at_;  // (
    while (!Is(")")) {
      const Token* label = Peek();
      if (label == nullptr || label->kind != TokenKind::kName) return FailHere("a label or \")\"");
      found_.grouping_labels.push_back({label->text, label->offset});
      ++at_;
      if (Is(",")) {
        ++at_;
      } else if (!Is(")")) {
        return FailHere("\",\" or \")\"");
      }
    }
    ++at_;
  }

  void Matchers(Selector& selector) {
    ++at_;  // {
    // A comma behind the last matcher or label is allowed, as in Prometheus' grammar.
    while (!Is("}")) {
      const Token* label = Peek();
      if (label == nullptr || label->kind != TokenKind::kName) return FailHere("a label or \"}\"");
      ++at_;
      const Token* operation = Peek();
      if (!Is("=") && !Is("!=") && !Is("=~") && !Is("!~")) return FailHere("one of = != =~ !~");
      ++at_;
      const Token* value = Peek();
      if (value == nullptr || value->kind != TokenKind::kString) return FailHere("a value in quotes");
      ++at_;
      selector.matchers.push_back({{label->text, label->offset}, operation->text, value->text});
      if (Is(",")) {
        ++at_;
      } else if (!Is("}")) {
        return FailHere("\",\" or \"}\"");
      }
    }
    ++at_;
  }

  void Range() {
    ++at_;  // [
    const Token* range = Peek();
    if (range == nullptr || range->kind != TokenKind::kDuration) return FailHere("a duration such as 5m");
    found_.ranges.push_back({*ParseDuration(range->text), range->text, range->offset});
    ++at_;
    if (Is(":")) {
      ++at_;
      const Token* step = Peek();
      // [1h:] takes the evaluation interval as its step.
      if (step != nullptr && step->kind == TokenKind::kDuration) ++at_;
    }
    if (!Is("]")) return FailHere("\"]\"");
    ++at_;
  }

  std::string_view expression_;
  Lexed lexed_;
  References found_;
  std::vector<Token> open_;  // parentheses that wait for their end
  std::size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace

References FindReferences(std::string_view expression) { return Finder(expression).Run(); }

}  // namespace outgrown::spec
