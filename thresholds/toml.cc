#include "thresholds/toml.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "thresholds/diagnostic.h"

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
    while (!rest_.empty()) Step();
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

namespace {

// toml++'s asserts can be reached from input (by the two bytes "[\n", say), so they throw.
constexpr void TomlAssert(bool holds) {
  if (!holds) throw std::logic_error("the parser gave up");
}

}  // namespace
}  // namespace outgrown::spec

// Debian's shared toml++ cannot be linked with other settings than its own, so it is compiled here,
// header-only. Under NDEBUG it would ignore TOML_ASSERT and assume that its asserts hold. Order: the macros
// must be defined before the include, and no other file may include toml++ with other ones (one definition
// rule).
#undef NDEBUG
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES 16
#define TOML_ASSERT(expression) ::outgrown::spec::TomlAssert(static_cast<bool>(expression))
#include <toml++/toml.h>

namespace outgrown::spec {
namespace {

static_assert(TOML_MAX_NESTED_VALUES == kNestingMax);

Position ToPosition(const toml::source_position& position) {
  // toml++ counts columns in code points, as Position does.
  return {static_cast<int>(position.line), static_cast<int>(position.column)};
}

// Finds a position's bytes in constant time: a line may be as long as the file, and full of strings.
class Lines {
 public:
  explicit Lines(std::string_view toml) : toml_(toml) {
    starts_.push_back(0);
    for (std::size_t at = toml.find('\n'); at != std::string_view::npos; at = toml.find('\n', at + 1)) {
      starts_.push_back(at + 1);
    }
  }

  // The file's text from `position` on; empty if there is no such place.
  std::string_view From(Position position) {
    const auto line = static_cast<std::size_t>(position.line);
    if (line < 1 || line > starts_.size() || position.column < 1) return {};
    if (line != marked_line_) Mark(line);
    const auto before = static_cast<std::size_t>(position.column - 1);
    if (before / kMarkCharacters >= marks_.size()) return {};
    std::string_view rest = toml_.substr(marks_[before / kMarkCharacters]);
    for (std::size_t i = 0; i < before % kMarkCharacters && !rest.empty(); ++i)
      rest.remove_prefix(CharacterLength(rest));
    return rest;
  }

 private:
  static constexpr std::size_t kMarkCharacters = 256;

  void Mark(std::size_t line) {
    marked_line_ = line;
    marks_.clear();
    std::size_t at = starts_[line - 1];
    if (line == 1 && toml_.starts_with("\xEF\xBB\xBF")) at = 3;
    const std::size_t end = line < starts_.size() ? starts_[line] : toml_.size();
    for (std::size_t count = 0; at < end || count == 0; ++count) {
      if (count % kMarkCharacters == 0) marks_.push_back(at);
      if (at < end) at += CharacterLength(toml_.substr(at));
    }
  }

  std::string_view toml_;
  std::vector<std::size_t> starts_;
  std::size_t marked_line_ = 0;     // 0: none
  std::vector<std::size_t> marks_;  // where each 256th character of that line begins
};

// Where the text of a string value begins, if the file holds it as it is.
// The value is compared with the file's bytes: with an escape, or a line-ending backslash, they differ, and
// no place inside of it can be named.
std::optional<Position> FindText(Lines& lines, Position position, std::string_view value) {
  std::string_view rest = lines.From(position);
  // Longest first: """ begins with ".
  for (const std::string_view quotes : {"\"\"\"", "'''", "\"", "'"}) {
    if (!rest.starts_with(quotes)) continue;
    rest.remove_prefix(quotes.size());
    position.column += static_cast<int>(quotes.size());
    // TOML drops a newline right behind the opening three quotes.
    if (quotes.size() == 3 && (rest.starts_with("\n") || rest.starts_with("\r\n"))) {
      rest.remove_prefix(rest[0] == '\r' ? 2 : 1);
      position = {position.line + 1, 1};
    }
    if (rest.starts_with(value) && rest.substr(value.size()).starts_with(quotes)) return position;
    return std::nullopt;
  }
  return std::nullopt;
}

// Recursive, but no deeper than GuardToml lets a document nest.
TomlNode Convert(const toml::node& node, Lines& lines) {
  TomlNode converted;
  converted.position = ToPosition(node.source().begin);
  switch (node.type()) {
    case toml::node_type::string:
      converted.kind = TomlNode::Kind::kString;
      converted.string = node.as_string()->get();
      converted.text = FindText(lines, converted.position, converted.string);
      break;
    case toml::node_type::integer:
      converted.kind = TomlNode::Kind::kInteger;
      converted.integer = node.as_integer()->get();
      break;
    case toml::node_type::floating_point:
      converted.kind = TomlNode::Kind::kFloat;
      converted.real = node.as_floating_point()->get();
      break;
    case toml::node_type::boolean:
      converted.kind = TomlNode::Kind::kBoolean;
      converted.boolean = node.as_boolean()->get();
      break;
    case toml::node_type::array:
      converted.kind = TomlNode::Kind::kArray;
      for (const toml::node& item : *node.as_array()) converted.items.push_back(Convert(item, lines));
      break;
    case toml::node_type::table:
      converted.kind = TomlNode::Kind::kTable;
      for (const auto& [key, value] : *node.as_table()) {
        converted.entries.push_back(
            {std::string(key.str()), ToPosition(key.source().begin), Convert(value, lines)});
      }
      // toml++'s tables are std::maps, in the order of the keys; diagnostics and series go by the order of
      // the file.
      std::ranges::stable_sort(converted.entries, {}, &TomlEntry::position);
      break;
    default:
      converted.kind = TomlNode::Kind::kTime;
  }
  return converted;
}

void ReportSyntax(Position position, std::string_view description, Report& report) {
  constexpr std::string_view kPrefix = "Error while parsing ";
  // The prefix says nothing that "what is not TOML" doesn't.
  if (description.starts_with(kPrefix)) description.remove_prefix(kPrefix.size());
  std::string found = "what is not TOML (";
  for (; !description.empty(); description.remove_prefix(CharacterLength(description))) {
    found += PrintableInLine(description.substr(0, CharacterLength(description)));
  }
  report.Add(position, "", found + ")", "TOML 1.0");
}

}  // namespace

std::optional<TomlNode> ParseToml(std::string_view toml, Report& report) {
  GuardToml(toml, report);
  if (!report.empty()) return std::nullopt;
  try {
    const toml::table root = toml::parse(toml);
    Lines lines(toml);
    TomlNode converted = Convert(root, lines);
    converted.position = {};
    return converted;
  } catch (const toml::parse_error& error) {
    ReportSyntax(ToPosition(error.source().begin), error.description(), report);
  } catch (const std::logic_error& error) {
    // toml++'s assert does not say where. GuardToml catches the ones that are known to fail.
    ReportSyntax({}, error.what(), report);
  }
  return std::nullopt;
}

}  // namespace outgrown::spec
