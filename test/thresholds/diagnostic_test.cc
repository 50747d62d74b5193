#include "thresholds/diagnostic.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

using namespace std::string_view_literals;
using outgrown::spec::CharacterLength;
using outgrown::spec::Diagnostic;
using outgrown::spec::DidYouMean;
using outgrown::spec::FindControl;
using outgrown::spec::FirstCharacter;
using outgrown::spec::Nearest;
using outgrown::spec::Printable;
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

TEST_CASE("the caret is under the column, behind tabs, wide bytes and escaped ones") {
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

TEST_CASE("UTF-8 is read as RFC 3629 says, and nothing else is") {
  CHECK(FirstCharacter("a") == U'a');
  CHECK(FirstCharacter("\x7f") == 0x7F);
  CHECK(FirstCharacter("\xc2\x80") == 0x80);
  CHECK(FirstCharacter("\xdf\xbf") == 0x7FF);
  CHECK(FirstCharacter("\xe0\xa0\x80") == 0x800);
  CHECK(FirstCharacter("\xef\xbf\xbf") == 0xFFFF);
  CHECK(FirstCharacter("\xf0\x90\x80\x80") == 0x10000);
  CHECK(FirstCharacter("\xf4\x8f\xbf\xbf") == 0x10FFFF);
  for (const std::string_view bad :
       {"\x80"sv, "\xbf"sv, "\xc0\x80"sv, "\xc1\xbf"sv, "\xe0\x9f\xbf"sv, "\xed\xa0\x80"sv,
        "\xf0\x8f\xbf\xbf"sv, "\xf4\x90\x80\x80"sv, "\xf8\x88\x80\x80\x80"sv, "\xff"sv, "\xc2"sv,
        "\xe2\x82"sv, "\xe2\x28\xa1"sv, "\xf0\x9f\x98"sv}) {
    CAPTURE(bad);
    CHECK_FALSE(FirstCharacter(bad).has_value());
    CHECK(CharacterLength(bad) == 1);
  }
  CHECK(CharacterLength("\xe2\x82\xac") == 3);
}

TEST_CASE("control characters, separators and direction marks are found at their byte") {
  CHECK_FALSE(FindControl("").has_value());
  CHECK_FALSE(FindControl("plain, größer, 汉字, 😀").has_value());
  struct Row {
    std::string_view text;
    std::size_t at;
  };
  for (const Row& row : {Row{"a\nb", 1}, Row{"\t", 0}, Row{"ab\0"sv, 2}, Row{"\x7f", 0}, Row{"ä\xc2\x85", 2},
                         Row{"x\xe2\x80\xa8", 1}, Row{"x\xe2\x80\xaey", 1}, Row{"x\xe2\x81\xa6y", 1},
                         Row{"\xef\xbb\xbfx", 0}, Row{"x\xff", 1}}) {
    CAPTURE(row.text);
    CHECK(FindControl(row.text) == row.at);
  }
  CHECK(Printable("\x1b") == "\\x1b");
  CHECK(Printable("\xff") == "\\xff");
  CHECK(Printable("\xc2\x85") == "\\u0085");
  CHECK(Printable("\xe2\x80\xae") == "\\u202e");
  CHECK(Printable("\t") == "\t");
  CHECK(Printable("é") == "é");
}

TEST_CASE("a near miss finds what was meant, and nonsense finds nothing") {
  const std::vector<std::string_view> keys = {"schema",          "above",           "below",
                                              "keep_firing_for", "scrape_interval", "for"};
  struct Row {
    std::string_view name, nearest;
  };
  for (const Row& row :
       {Row{"abvoe", "above"},                      // swapped
        Row{"abov", "above"},                       // left out
        Row{"abovee", "above"},                     // too many
        Row{"Above", "above"},                      // case
        Row{"keep-firing-for", "keep_firing_for"},  // another separator
        Row{"keepfiringfor", "keep_firing_for"}, Row{"scrapeInterval", "scrape_interval"}, Row{"four", "for"},
        Row{"colour", ""}, Row{"", ""}, Row{"above", ""}, Row{"x", ""}}) {
    CAPTURE(row.name);
    CHECK(Nearest(row.name, keys) == row.nearest);
  }
  CHECK(Nearest(std::string(10'000, 'a'), keys).empty());
  CHECK(DidYouMean("abvoe", keys) == "; did you mean \"above\"?");
  CHECK(DidYouMean("zzz", keys).empty());
}
