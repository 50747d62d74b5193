#include "thresholds/diagnostic.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

#include "thresholds/text.h"

namespace outgrown::spec {
namespace {

constexpr std::size_t kQuotedCharactersMax = 60;
// Nobody reads more at once; a file that is no spec at all would give one for each of its lines.
constexpr std::size_t kDiagnosticsMax = 1000;
// On either side of the place: a line may be as long as a spec.
constexpr int kShownCharactersMax = 200;

}  // namespace

std::string FormatDiagnostic(const Diagnostic& diagnostic) {
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

  // Tabs are kept in the caret's line, so that it stands right whatever a terminal makes of them.
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
  if (diagnostics_.size() >= kDiagnosticsMax) {
    ++left_out_;
    return;
  }
  diagnostics_.push_back({file_, position, std::move(key), std::move(found), std::move(expected)});
}

std::vector<Diagnostic> Report::TakeInFileOrder() {
  std::ranges::stable_sort(diagnostics_, {}, &Diagnostic::position);
  if (left_out_ > 0) {
    diagnostics_.push_back({file_, diagnostics_.back().position, "", fmt::format("{} errors more", left_out_),
                            "these to be mended first"});
    left_out_ = 0;
  }
  return std::exchange(diagnostics_, {});
}

}  // namespace outgrown::spec
