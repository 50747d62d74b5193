#include "thresholds/diagnostic.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using outgrown::spec::Diagnostic;
using outgrown::spec::Quoted;
using outgrown::spec::Report;

TEST_CASE(
    "a diagnostic is one line that names file, line, column, key, what was found and what would be right") {
  const Diagnostic diagnostic{"rules/x.toml", {12, 9}, "threshold.above", "nan", "a finite number"};
  CHECK(FormatDiagnostic(diagnostic) ==
        "rules/x.toml:12:9: threshold.above: found nan, expected a finite number");
  const Diagnostic of_the_file{"x.toml", {1, 1}, "", "what is not TOML", "TOML 1.0"};
  CHECK(FormatDiagnostic(of_the_file) == "x.toml:1:1: found what is not TOML, expected TOML 1.0");
}

TEST_CASE("the caret stands under the column, behind tabs, wide bytes and escaped ones") {
  struct Row {
    std::string source;
    int line, column;
    std::string below;
  };
  const Row rows[] = {
      {"a\nbc = 1\n", 2, 4, "\n  bc = 1\n     ^"},
      {"\tx = 1", 1, 2, "\n  \tx = 1\n  \t^"},
      {"t = \"äö\" x", 1, 10, "\n  t = \"äö\" x\n           ^"},
      {"t = \"\x01\" x\r\n", 1, 9, "\n  t = \"\\x01\" x\n             ^"},
      {"one line", 7, 1, ""},  // no such line
      {"", 1, 1, ""},
      {"x", 1, 3, "\n  x\n   ^"},  // behind the end
  };
  for (const Row& row : rows) {
    CAPTURE(row.source);
    const Diagnostic diagnostic{"x.toml", {row.line, row.column}, "k", "a", "b"};
    CHECK(FormatDiagnosticWithSource(diagnostic, row.source) == FormatDiagnostic(diagnostic) + row.below);
  }
}

TEST_CASE("of a very long line only what is around the place is shown") {
  const std::string source = std::string(1'000'000, 'a') + "é=" + std::string(1'000'000, 'b');
  const Diagnostic diagnostic{"x.toml", {1, 1'000'002}, "k", "a", "b"};
  CHECK(FormatDiagnosticWithSource(diagnostic, source) ==
        FormatDiagnostic(diagnostic) + "\n  …" + std::string(199, 'a') + "é=" + std::string(200, 'b') +
            "…\n  " + std::string(201, ' ') + "^");
}

TEST_CASE("a quoted text cannot end its line, move the cursor or flood the screen") {
  CHECK(Quoted("plain") == "\"plain\"");
  CHECK(Quoted("a\nb\x1b[31m\t") == "\"a\\x0ab\\x1b[31m\\x09\"");
  CHECK(Quoted("\xff\xc3") == "\"\\xff\\xc3\"");
  CHECK(Quoted("\xe2\x80\xae!") == "\"\\u202e!\"");  // right-to-left override
  CHECK(Quoted(std::string(60, 'x')) == "\"" + std::string(60, 'x') + "\"");
  CHECK(Quoted(std::string(61, 'x')) == "\"" + std::string(60, 'x') + "…\"");
}

TEST_CASE("a report is in the order of the file, and counts what nobody would read") {
  Report report("x.toml");
  report.Add({3, 1}, "c", "a", "b");
  report.Add({1, 9}, "a", "a", "b");
  report.Add({3, 1}, "d", "a", "b");
  std::string keys;
  for (const Diagnostic& diagnostic : report.TakeInFileOrder()) keys += diagnostic.key;
  CHECK(keys == "acd");
  CHECK(report.empty());

  for (int i = 0; i < 1234; ++i) report.Add({1, 1}, "k", "a", "b");
  const std::vector<Diagnostic> many = report.TakeInFileOrder();
  CHECK(many.size() == 1001);
  CHECK(many.back().found == "234 errors more");
}
