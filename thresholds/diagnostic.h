// What is said to the person who wrote a spec. A Diagnostic is one error: where it is, what was found there
// and what would be right; diagnostics are the only way in which the parser and the validator say no. Around
// it the text of specs, one character at a time, and "did you mean".
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "thresholds/model.h"

namespace outgrown::spec {

// The code point that `text` begins with, if it is well-formed UTF-8 (no overlong form, no surrogate).
// Precondition: not empty.
std::optional<char32_t> FirstCharacter(std::string_view text);

// The bytes of the first character: 1 to 4, and 1 for a byte that begins no well-formed one.
// Precondition: not empty.
std::size_t CharacterLength(std::string_view text);

// Whether a character has no business in a title, a label or a justification: a control character (C0, DEL, C1), a
// line or paragraph separator, or one that turns the direction of the text that follows it.
bool IsControl(char32_t character);

// The part of these that turns the direction of the text.
bool IsDirectionMark(char32_t character);

// One character as it can be shown on a terminal: itself, or if it IsControl \xNN in ASCII and \uNNNN beyond.
// A byte that begins no character is \xNN. A tab stays a tab.
std::string Printable(std::string_view character);

// The same within a sentence, where a tab is \x09, too.
std::string PrintableInLine(std::string_view character);

// The offset of the first character that IsControl or is not well-formed; nothing if there is none.
std::optional<std::size_t> FindControl(std::string_view text);

// The candidate that is fewest edits from `name` (insert, delete, replace, swap neighbours; upper and lower case are
// one edit in all), if that is at most a third of its length; the first of equals. Empty if none is near.
std::string_view Nearest(std::string_view name, std::span<const std::string_view> candidates);

// "; did you mean CANDIDATE?" or nothing, to follow what a diagnostic expected.
std::string DidYouMean(std::string_view name, std::span<const std::string_view> candidates);

struct Diagnostic {
  std::filesystem::path file;  // as the user named it
  Position position;
  std::string key;       // "threshold.above"; "" if the error is not about a key (the file, its syntax)
  std::string found;     // reads after "found": "nan"
  std::string expected;  // reads after "expected": "a finite number"
};

// One line without its newline: "rules/checkpoint.toml:12:9: threshold.above: found nan, expected a finite number".
std::string FormatDiagnostic(const Diagnostic& diagnostic);

// The same, and below it the line of `source` (the file's text) with a caret under the column. Only the first line
// if `source` has no such line.
std::string FormatDiagnosticWithSource(const Diagnostic& diagnostic, std::string_view source);

// `text` in quotes for a diagnostic: control characters and invalid UTF-8 as \xNN or \uNNNN, cut after 60
// characters with an ellipsis.
std::string Quoted(std::string_view text);

// Collects the diagnostics of one file.
class Report {
 public:
  explicit Report(std::filesystem::path file) : file_(std::move(file)) {}

  void Add(Position position, std::string key, std::string found, std::string expected);

  bool empty() const { return diagnostics_.empty(); }

  // All of them in the order of the file; those of one place in the order in which they were added. Of more than a
  // thousand the rest is counted in a last one. Empties this.
  std::vector<Diagnostic> TakeInFileOrder();

 private:
  std::filesystem::path file_;
  std::vector<Diagnostic> diagnostics_;
  std::size_t left_out_ = 0;
};

}  // namespace outgrown::spec
