#include "thresholds/toml.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "thresholds/diagnostic.h"
#include "thresholds/toml_guard.h"

namespace outgrown::spec {
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
