#include "thresholds/toml_guard.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace outgrown::spec {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// A byte-wise scan in linear time, before toml++ sees anything. It accepts much that is no TOML, and refuses
// some valid TOML that no spec needs.
class Guard {
 public:
  Guard(std::string_view toml, Report& report) : rest_(toml), report_(report) {}

  void Run() {
    if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
    while (true) {
      SkipPlain();
      if (rest_.empty()) return;
      Step();
    }
  }

 private:
  enum class Inside { kNothing, kComment, kBasic, kLiteral, kMultilineBasic, kMultilineLiteral };

  bool InMultiline() const {
    return inside_ == Inside::kMultilineBasic || inside_ == Inside::kMultilineLiteral;
  }

  void Advance(std::size_t bytes, int columns) {
    rest_.remove_prefix(bytes);
    position_.column += columns;
  }

  void Complain(std::string found, std::string expected) {
    // After the first complaint of a line the state (inside a string or not) is a guess.
    if (complained_in_line_) return;
    complained_in_line_ = true;
    report_.Add(position_, "", std::move(found), std::move(expected));
  }

  // Most of a spec is plain text in strings and comments: to step through each of its characters would take 7 % more of --generate.
  void SkipPlain() {
    if (inside_ == Inside::kNothing) return;
    const auto is_plain = [](char c) { return c >= ' ' && c < 0x7F && c != '"' && c != '\'' && c != '\\'; };
    const auto bytes = static_cast<std::size_t>(std::ranges::find_if_not(rest_, is_plain) - rest_.begin());
    Advance(bytes, static_cast<int>(bytes));
  }

  void Step() {
    if (rest_.starts_with("\n") || rest_.starts_with("\r\n")) {
      if (inside_ == Inside::kBasic || inside_ == Inside::kLiteral) {
        Complain("a string that doesn't end in its line", inside_ == Inside::kBasic
                                                              ? "a closing \" (or three for several lines)"
                                                              : "a closing ' (or three for several lines)");
      }
      rest_.remove_prefix(rest_[0] == '\r' ? 2 : 1);
      position_ = {position_.line + 1, 1};
      complained_in_line_ = false;
      dots_ = 0;
      if (!InMultiline()) inside_ = Inside::kNothing;
      // A "[" inside of an open list is a value, at a line's beginning otherwise a table's header.
      at_statement_ = inside_ == Inside::kNothing && depth_ == 0;
      return;
    }
    const std::optional<char32_t> character = FirstCharacter(rest_);
    if (!character) {
      Complain("bytes that are no UTF-8 (" + Printable(rest_.substr(0, 1)) + ")", "text in UTF-8");
      Advance(1, 1);
      return;
    }
    // TOML 1.0 forbids these everywhere; toml++ 3.3.0 lets NUL pass.
    if ((*character < 0x20 && *character != U'\t') || *character == 0x7F) {
      Complain("the control character " + Printable(rest_.substr(0, 1)),
               "text without control characters (write \\uXXXX in a string)");
    }
    switch (inside_) {
      case Inside::kNothing:
        StepOutside(*character);
        return;
      case Inside::kComment:
        break;
      case Inside::kBasic:
      case Inside::kMultilineBasic:
        StepString('"', /*escapes=*/true);
        return;
      case Inside::kLiteral:
      case Inside::kMultilineLiteral:
        StepString('\'', /*escapes=*/false);
        return;
    }
    Advance(CharacterLength(rest_), 1);
  }

  void StepOutside(char32_t character) {
    switch (character) {
      case U'"':
      case U'\'':
        Open(static_cast<char>(character));
        return;
      case U'#':
        inside_ = Inside::kComment;
        break;
      case U'[':
        if (at_statement_) CheckHeader();
        [[fallthrough]];
      case U'{':
        dots_ = 0;
        if (++depth_ > kNestingMax) {
          Complain("brackets nested deeper than " + std::to_string(kNestingMax), "a spec's tables and lists");
        }
        break;
      case U']':
      case U'}':
        dots_ = 0;
        if (depth_ > 0) --depth_;
        break;
      case U'=':
      case U',':
        dots_ = 0;
        break;
      case U'.':
        // toml++ 3.3.0 recurses for each part of a dotted key: 100,000 of them overflow the stack.
        if (++dots_ >= kDottedKeyPartsMax) {
          Complain(fmt::format("a dotted key of more than {} parts", kDottedKeyPartsMax),
                   "a key of the spec");
        }
        break;
      default:
        // toml++ 3.3.0 has undefined behaviour on some bare keys that are not ASCII. TOML 1.0 allows none of
        // them.
        if (character >= 0x80) {
          Complain(Quoted(rest_.substr(0, CharacterLength(rest_))) + " outside of a string",
                   "bare keys of the letters A-Z a-z, digits, - and _ (put other text in quotes)");
        }
    }
    if (character != U' ' && character != U'\t') at_statement_ = false;
    Advance(CharacterLength(rest_), 1);
  }

  // toml++ asserts that a table's header begins with a key.
  void CheckHeader() {
    std::size_t at = rest_.starts_with("[[") ? 2 : 1;
    while (at < rest_.size() && (rest_[at] == ' ' || rest_[at] == '\t')) ++at;
    const std::string_view name = rest_.substr(at);
    const bool is_key =
        !name.empty() && (std::isalnum(static_cast<unsigned char>(name[0])) != 0 || name[0] == '_' ||
                          name[0] == '-' || name[0] == '"' || name[0] == '\'');
    if (is_key || name.empty()) return;
    position_.column += static_cast<int>(at);
    const bool is_cut = name[0] == '\n' || name[0] == '\r' || name[0] == '#';
    Complain(is_cut ? "the end of the line" : Quoted(name.substr(0, CharacterLength(name))),
             "a table's name after [");
    position_.column -= static_cast<int>(at);
  }

  void Open(char quote) {
    at_statement_ = false;
    const std::string three(3, quote);
    const std::string two(2, quote);
    const bool basic = quote == '"';
    if (rest_.starts_with(three)) {
      inside_ = basic ? Inside::kMultilineBasic : Inside::kMultilineLiteral;
      Advance(3, 3);
    } else if (rest_.starts_with(two)) {
      Advance(2, 2);  // the empty string
    } else {
      inside_ = basic ? Inside::kBasic : Inside::kLiteral;
      Advance(1, 1);
    }
  }

  void StepString(char quote, bool escapes) {
    const std::string three(3, quote);
    // Only these two escapes hide a character that would end the string or another escape; the rest is
    // toml++'s to judge.
    if (escapes && rest_.size() >= 2 && rest_[0] == '\\' && (rest_[1] == '\\' || rest_[1] == '"')) {
      Advance(2, 2);
    } else if (InMultiline() && rest_.starts_with(three)) {
      // Up to two quotes may precede the closing three.
      std::size_t quotes = 3;
      while (quotes < 5 && quotes < rest_.size() && rest_[quotes] == quote) ++quotes;
      inside_ = Inside::kNothing;
      Advance(quotes, static_cast<int>(quotes));
    } else if (!InMultiline() && rest_[0] == quote) {
      inside_ = Inside::kNothing;
      Advance(1, 1);
    } else {
      Advance(CharacterLength(rest_), 1);
    }
  }

  std::string_view rest_;
  Report& report_;
  Position position_;
  Inside inside_ = Inside::kNothing;
  std::size_t depth_ = 0;
  std::size_t dots_ = 0;
  bool complained_in_line_ = false;
  bool at_statement_ = true;  // only white space since the line began, and no bracket is open
};

}  // namespace

void GuardToml(std::string_view toml, Report& report) {
  if (toml.size() > kSpecBytesMax) {
    report.Add({}, "", fmt::format("{} bytes", toml.size()),
               fmt::format("a spec of at most {} bytes", kSpecBytesMax));
    return;
  }
  Guard(toml, report).Run();
}

}  // namespace outgrown::spec
