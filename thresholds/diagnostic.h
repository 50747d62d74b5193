// Diagnostic: one error of a spec, for the person who wrote it: where it is, what was found there and what would
// be right. Diagnostics are the only way in which the parser and the validator say no.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "thresholds/model.h"

namespace outgrown::spec {

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

// `text` in quotes for a diagnostic: control characters and invalid UTF-8 as \xNN or \uNNNN, cut after 60 characters with an
// ellipsis.
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
