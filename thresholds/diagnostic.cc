#include "thresholds/diagnostic.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "common/text.h"

namespace outgrown::spec {

std::optional<char32_t> FirstCharacter(std::string_view text) {
  const CodePoint first = NextCodePoint(text);
  return first.valid ? std::optional(first.value) : std::nullopt;
}

std::size_t CharacterLength(std::string_view text) { return NextCodePoint(text).size_bytes; }

// U+FEFF is a byte order mark inside of a text: invisible, and two ids that differ by it would look equal.
bool IsControl(char32_t character) {
  return character < 0x20 || (character >= 0x7F && character <= 0x9F) || IsDirectionMark(character) ||
         character == 0x2028 || character == 0x2029 || character == 0xFEFF;
}

// The explicit embeddings, overrides and isolates, and the implicit marks LRM, RLM and ALM (Unicode Standard
// Annex #9).
bool IsDirectionMark(char32_t character) {
  return (character >= 0x202A && character <= 0x202E) || (character >= 0x2066 && character <= 0x2069) ||
         character == 0x200E || character == 0x200F || character == 0x061C;
}

std::string Printable(std::string_view character) {
  const std::optional<char32_t> value = FirstCharacter(character);
  if (value && (*value == U'\t' || !IsControl(*value))) return std::string(character);
  // In TOML's own notation, so that it can be copied into a string of the spec.
  if (value && *value >= 0x80) return fmt::format("\\u{:04x}", static_cast<unsigned>(*value));
  std::string escaped;
  for (const char byte : character) escaped += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
  return escaped;
}

std::string PrintableInLine(std::string_view character) {
  return character == "\t" ? "\\x09" : Printable(character);
}

std::optional<std::size_t> FindControl(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); at += CharacterLength(text.substr(at))) {
    const std::optional<char32_t> character = FirstCharacter(text.substr(at));
    if (!character || IsControl(*character)) return at;
  }
  return std::nullopt;
}

namespace {

// Longer names are no typing errors of ours; this also bounds the work for one name.
constexpr std::size_t kNameBytesMax = 64;

// Optimal string alignment distance, in three rows.
// Levenshtein's distance and swapped neighbours, of which no character is edited twice.
std::size_t Distance(std::string_view a, std::string_view b) {
  std::array<std::array<std::size_t, kNameBytesMax + 1>, 3> rows{};
  for (std::size_t j = 0; j <= b.size(); ++j) rows[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto& row = rows[i % 3];
    // A swap reaches two rows back, so three of them are enough instead of the whole matrix.
    const auto& above = rows[(i + 2) % 3];
    const auto& above_that = rows[(i + 1) % 3];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
      const bool is_swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (is_swap) row[j] = std::min(row[j], above_that[j - 2] + 1);
    }
  }
  return rows[a.size() % 3][b.size()];
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    // keep-firing-for and keep_firing_for are the same word to a reader.
    if (c == '-') c = '_';
  }
  return lower;
}

}  // namespace

std::string_view Nearest(std::string_view name, std::span<const std::string_view> candidates) {
  if (name.empty() || name.size() > kNameBytesMax) return {};
  const std::string lower = Lower(name);
  std::string_view nearest;
  std::size_t least = kNameBytesMax;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > kNameBytesMax || candidate == name) continue;
    const std::size_t longer = std::max(name.size(), candidate.size());
    // The difference in length is a lower bound of the distance, and is much cheaper.
    if (longer - std::min(name.size(), candidate.size()) > longer / 3) continue;
    const std::string lower_candidate = Lower(candidate);
    // Case alone is one edit however many letters differ: WRITEERRORS is a near miss of WriteErrors.
    const std::size_t distance = lower == lower_candidate ? 1 : Distance(lower, lower_candidate);
    if (distance <= std::max<std::size_t>(1, longer / 3) && distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string DidYouMean(std::string_view name, std::span<const std::string_view> candidates) {
  const std::string_view nearest = Nearest(name, candidates);
  return nearest.empty() ? "" : "; did you mean " + Quoted(nearest) + "?";
}

namespace {

constexpr std::size_t kQuotedCharactersMax = 60;
// Nobody reads more at once; a file that is no spec at all would give one for each of its lines.
constexpr std::size_t kDiagnosticsMax = 1000;
// On either side of the place: a line may be as long as a spec.
constexpr int kShownCharactersMax = 200;

}  // namespace

std::string FormatDiagnostic(const Diagnostic& diagnostic) {
  // The form of compilers' errors, which editors turn into a link.
  std::string text = fmt::format("{}:{}:{}: ", diagnostic.file.string(), diagnostic.position.line,
                                 diagnostic.position.column);
  if (!diagnostic.key.empty()) text += diagnostic.key + ": ";
  return text + fmt::format("found {}, expected {}", diagnostic.found, diagnostic.expected);
}

std::string FormatDiagnosticWithSource(const Diagnostic& diagnostic, std::string_view source) {
  std::string text = FormatDiagnostic(diagnostic);
  for (int line = 1; line < diagnostic.position.line; ++line) {
    const std::size_t end = source.find('\n');
    if (end == std::string_view::npos) return text;
    source.remove_prefix(end + 1);
  }
  source = source.substr(0, source.find_first_of("\r\n"));
  if (source.empty()) return text;

  // Tabs are kept in the caret's line, so that it is in the right column whatever a terminal makes of them.
  // A window around the place, so that a spec in one line does not print itself whole with each error.
  const int from = std::max(1, diagnostic.position.column - kShownCharactersMax);
  const int to = diagnostic.position.column + kShownCharactersMax;
  std::string shown = from > 1 ? "…" : "";
  std::string indent = from > 1 ? " " : "";
  int column = 1;
  for (; column < from && !source.empty(); ++column) source.remove_prefix(CharacterLength(source));
  while (!source.empty()) {
    if (column > to) {
      shown += "…";
      break;
    }
    const std::string_view character = source.substr(0, CharacterLength(source));
    const std::string printable = Printable(character);
    shown += printable;
    if (column < diagnostic.position.column) {
      const bool is_escaped = printable.size() > 1 && printable[0] == '\\';
      indent += character == "\t" ? "\t" : std::string(is_escaped ? printable.size() : 1, ' ');
    }
    ++column;
    source.remove_prefix(character.size());
  }
  return text + "\n  " + shown + "\n  " + indent + "^";
}

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (std::size_t count = 0; !text.empty(); ++count) {
    if (count == kQuotedCharactersMax) return quoted + "…\"";
    const std::string_view character = text.substr(0, CharacterLength(text));
    quoted += PrintableInLine(character);
    text.remove_prefix(character.size());
  }
  return quoted + "\"";
}

void Report::Add(Position position, std::string key, std::string found, std::string expected) {
  // Counted but not kept, so that memory is bounded too. The kept ones are the first that were found, which
  // need not be the first in the file.
  if (diagnostics_.size() >= kDiagnosticsMax) {
    ++left_out_;
    return;
  }
  diagnostics_.push_back({file_, position, std::move(key), std::move(found), std::move(expected)});
}

std::vector<Diagnostic> Report::TakeInFileOrder() {
  // The validator goes from table to table and from rule to rule; an author mends a file from its beginning.
  std::ranges::stable_sort(diagnostics_, {}, &Diagnostic::position);
  if (left_out_ > 0) {
    diagnostics_.push_back({file_, diagnostics_.back().position, "", fmt::format("{} errors more", left_out_),
                            "these to be mended first"});
    left_out_ = 0;
  }
  return std::exchange(diagnostics_, {});
}

}  // namespace outgrown::spec
