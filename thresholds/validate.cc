// All that is checked of a spec that could be parsed, table by table (validation.h).
#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "thresholds/validation.h"

namespace outgrown::spec {

void Validate(const Spec& spec, Report& report) {
  Suggestions suggestions;
  const KnownSeriesIndex series(spec);
  // The order doesn't matter to the author: diagnostics are sorted by their places. One budget of suggestions
  // serves them all.
  ValidateStore(spec, series, report, suggestions);
  ValidateRules(spec, report);
  ValidatePaths(spec, report);
  ValidateVerdicts(spec, report);
  ValidateMetrics(spec, report);
  ValidateSignals(spec, series, report, suggestions);
  ValidateThresholds(spec, report, suggestions);
  ValidateCoverage(spec, series, report, suggestions);
  ValidateWatches(spec, report, suggestions);
  ValidatePanels(spec, report, suggestions);
}

namespace {

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsWord(char c) { return IsLower(c) || IsUpper(c) || c == '_'; }

// `position`, moved over `text`.
// Columns count code points, so the walk is by characters, not bytes.
Position Over(Position position, std::string_view text) {
  for (; !text.empty(); text.remove_prefix(CharacterLength(text))) {
    ++position.column;
    if (text[0] == '\n') position = {position.line + 1, 1};
  }
  return position;
}

// What FindControl found, for a diagnostic.
std::string NameOfControl(std::string_view character) {
  if (character == "\n") return "a new line";
  if (character == "\t") return "a tab";
  const std::optional<char32_t> value = FirstCharacter(character);
  if (!value || *value < 0x80) return "the control character " + Printable(character);
  const std::string_view kind = IsDirectionMark(*value) ? "direction mark"
                                : *value < 0xA0         ? "control character"
                                                        : "invisible character";
  return fmt::format("the {} U+{:04X}", kind, static_cast<unsigned>(*value));
}

}  // namespace

bool IsSnakeCase(std::string_view text) {
  return !text.empty() && IsLower(text[0]) &&
         std::ranges::all_of(text, [](char c) { return IsLower(c) || IsDigit(c) || c == '_'; });
}

bool IsPascalCase(std::string_view text) {
  return !text.empty() && IsUpper(text[0]) &&
         std::ranges::all_of(text, [](char c) { return IsLower(c) || IsUpper(c) || IsDigit(c); });
}

bool IsLabelName(std::string_view text) {
  return !text.empty() && IsWord(text[0]) && !text.starts_with("__") &&
         std::ranges::all_of(text, [](char c) { return IsWord(c) || IsDigit(c); });
}

bool IsMetricName(std::string_view text) {
  return !text.empty() && !IsDigit(text[0]) &&
         std::ranges::all_of(text, [](char c) { return IsWord(c) || IsDigit(c) || c == ':'; });
}

std::string Element(std::string_view key, std::size_t index) {
  return std::string(key) + "[" + std::to_string(index) + "]";
}

bool TableCheck::Has(std::string_view key) const {
  // A spec made by hand has no places; all its keys are judged.
  if (positions_.empty()) return true;
  const auto place = positions_.find(key);
  return place != positions_.end() && place->second.usable;
}

Position TableCheck::PositionOf(std::string_view key) const { return spec::PositionOf(positions_, key); }

std::string TableCheck::Path(std::string_view element) const {
  return std::string(table_) + "." + std::string(element.substr(0, element.find('[')));
}

void TableCheck::Wrong(std::string_view element, std::string found, std::string expected) const {
  report_.Add(PositionOf(element), Path(element), std::move(found), std::move(expected));
}

void TableCheck::WrongKey(std::string_view element, std::string found, std::string expected) const {
  const auto place = positions_.find(element);
  report_.Add(place == positions_.end() ? PositionOf(element) : place->second.key, Path(element),
              std::move(found), std::move(expected));
}

void TableCheck::WrongInside(std::string_view element, std::string_view text, const Problem& problem) const {
  const auto place = positions_.find(element);
  // The text differs from what the file holds (an escape in it): its beginning is the nearest place that can
  // be named.
  if (place == positions_.end() || !place->second.text)
    return Wrong(element, problem.found, problem.expected);
  report_.Add(Over(*place->second.text, text.substr(0, problem.offset)), Path(element), problem.found,
              problem.expected);
}

bool TableCheck::Line(std::string_view key, std::string_view text) const {
  if (Has(key) && text.empty()) {
    Wrong(key, "an empty text", "a line of text");
    return false;
  }
  return LineOrNothing(key, text);
}

bool TableCheck::LineOrNothing(std::string_view key, std::string_view text) const {
  if (!Has(key)) return false;
  // Texts go into YAML, Go templates, Markdown and terminals, each of which treats control characters in its
  // own way.
  if (const std::optional<std::size_t> at = FindControl(text)) {
    const std::string_view character = text.substr(*at, CharacterLength(text.substr(*at)));
    const bool turns = IsDirectionMark(FirstCharacter(character).value_or(0));
    WrongInside(key, text,
                {*at, NameOfControl(character),
                 turns ? "one line of text without marks that turn its direction"
                       : "one line of text without control characters"});
    return false;
  }
  // Markdown and YAML drop them, so the same text would read differently in two artefacts.
  if (!text.empty() && (text.front() == ' ' || text.back() == ' ')) {
    Wrong(key, Quoted(text), "a text without blanks at its ends");
    return false;
  }
  return true;
}

bool TableCheck::Id(std::string_view key, std::string_view text, bool (*is_right)(std::string_view),
                    std::string_view expected) const {
  if (!Has(key)) return false;
  if (!is_right(text)) {
    Wrong(key, Quoted(text), std::string(expected));
    return false;
  }
  if (text.size() > kIdBytesMax) {
    Wrong(key, std::to_string(text.size()) + " characters", "at most " + std::to_string(kIdBytesMax));
    return false;
  }
  return true;
}

void Unique::Add(const TableCheck& check, std::string_view element, const std::string& text,
                 std::string expected) {
  AddFolded(check, element, text, text, std::move(expected), At::kValue);
}

void Unique::AddFolded(const TableCheck& check, std::string_view element, const std::string& folded,
                       std::string_view text, std::string expected, At at) {
  // The first one is right by definition, the later one is reported.
  const auto [first, is_new] = first_lines_.emplace(folded, check.PositionOf(element).line);
  if (is_new) return;
  const std::string found = Quoted(text) + " again (first in line " + std::to_string(first->second) + ")";
  if (at == At::kKey) {
    check.WrongKey(element, found, std::move(expected));
  } else {
    check.Wrong(element, found, std::move(expected));
  }
}

std::string Suggestions::For(std::string_view name, const std::vector<std::string_view>& candidates) {
  // Each comparison costs up to 64 times 64 steps, and a spec may misspell thousands of names among as many
  // candidates. The names that are judged first get one.
  if (candidates.size() > comparisons_left_) return "";
  comparisons_left_ -= candidates.size();
  return DidYouMean(name, candidates);
}

}  // namespace outgrown::spec
