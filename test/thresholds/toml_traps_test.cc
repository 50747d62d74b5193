// What crashes, hangs or slips through toml++ 3.3.0 must be a diagnostic here.
#include <cstddef>
#include <string>

#include <doctest/doctest.h>

#include "test/support/rounds.h"
#include "test/thresholds/spec_text.h"
#include "thresholds/parse.h"
#include "thresholds/toml.h"
#include "thresholds/toml_guard.h"

using namespace std::string_literals;
using outgrown::spec::ParseSpec;
using outgrown::spec::ParseToml;
using outgrown::spec::Report;
using outgrown::test::Changed;
using outgrown::test::DiagnosticsOf;
using outgrown::test::kSpecText;

namespace {

std::string Repeated(const std::string& piece, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += piece;
  return text;
}

}  // namespace

TEST_CASE("input that toml++ cannot bear is a diagnostic at its place") {
  struct Row {
    std::string toml;
    std::string diagnostic;  // its beginning
  };
  const Row rows[] = {
      {"[\n", "queue.toml:1:2: found the end of the line"},
      {"[", "queue.toml:1:2: "},
      {"[[\n", "queue.toml:1:3: found the end of the line"},
      {"[ # comment\n", "queue.toml:1:3: found the end of the line"},
      {"[=", "queue.toml:1:2: found \"=\""},
      {"[.a]", "queue.toml:1:2: found \".\""},
      {"  [ ,", "queue.toml:1:5: found \",\""},
      {"[\"a\n", "queue.toml:1:4: found a string that doesn't end"},
      {"schema = 1\n" + Repeated("a.", 100'000) + "b = 1\n",
       "queue.toml:2:32: found a dotted key of more than 16 parts"},
      {"[" + Repeated("a.", 100'000) + "b]\n", "queue.toml:1:33: found a dotted key"},
      {Repeated("\"a\" . ", 100'000) + "b = 1\n", "queue.toml:1:95: found a dotted key"},
      {"x = " + Repeated("[", 100'000), "queue.toml:1:21: found brackets nested deeper than 16"},
      {"x = " + Repeated("[\n", 100'000), "queue.toml:17:1: found brackets nested deeper than 16"},
      {"x = " + Repeated("{a=", 100'000), "queue.toml:1:53: found brackets nested deeper than 16"},
      {"\xc3\xa9 = 1", "queue.toml:1:1: found \"é\" outside of a string"},
      {"a\xe1\x9b\xa8 = 1", "queue.toml:1:2: found \"ᛨ\" outside of a string"},
      {"x = \xe2\x82\xac", "queue.toml:1:5: found \"€\" outside of a string"},
      {"\xf0\x9f\x98\x80.b = 1", "queue.toml:1:1: found "},
      {"x = 'a\0b'"s, "queue.toml:1:7: found the control character \\x00"},
      {"x = 1 # \0"s, "queue.toml:1:9: found the control character \\x00"},
      {"\0"s, "queue.toml:1:1: found the control character \\x00"},
      {"x = \"\xed\xa0\x80\"", "queue.toml:1:6: found bytes that are no UTF-8"},
      {"x = \"\xc3", "queue.toml:1:6: found bytes that are no UTF-8"},
      {"\xff\xfes\0c\0"s, "queue.toml:1:1: found bytes that are no UTF-8"},  // UTF-16
  };
  for (const Row& row : rows) {
    CAPTURE(row.toml.substr(0, 40));
    const std::string found = DiagnosticsOf(row.toml);
    CHECK_MESSAGE(found.starts_with(row.diagnostic), found);
  }
}

TEST_CASE("nan, infinities and NUL by an escape are no values") {
  CHECK(DiagnosticsOf(Changed("above = 100", "above = nan")).find("found nan, expected a finite number") !=
        std::string::npos);
  CHECK(DiagnosticsOf(Changed("above = 100", "above = +inf")).find("found inf, expected") !=
        std::string::npos);
  CHECK(DiagnosticsOf(Changed("above = 100", "above = -inf")).find("found -inf, expected") !=
        std::string::npos);
  CHECK(DiagnosticsOf(Changed("above = 100", "above = 1e400")).find("1e400") != std::string::npos);
  CHECK(DiagnosticsOf(Changed("File queue", "File\\u0000queue")).find("the control character \\x00") !=
        std::string::npos);
}

TEST_CASE("a text larger than any spec is refused without being read") {
  // What is read is found to be wrong at once, since reading all of it takes long.
  std::string large = "=\n";
  large.resize(outgrown::spec::kSpecBytesMax, '\n');
  const std::string wrong = DiagnosticsOf(large);
  CHECK(wrong.starts_with("queue.toml:1:1: "));
  CHECK(wrong.find("bytes") == std::string::npos);
  large += '\n';
  CHECK(DiagnosticsOf(large) ==
        "queue.toml:1:1: found 16777217 bytes, expected a spec of at most 16777216 bytes\n");
}

TEST_CASE("what looks like a trap inside strings and comments is none") {
  CHECK(DiagnosticsOf(
            Changed("\"File queue\"", "\"é [ . . . . . . . . . . . . . . . . . . . . . {{{{ \\\" # é\""))
            .empty());
  CHECK(DiagnosticsOf(Changed("schema = 1", "schema = 1 # é [[[[[[[[[[[[[[[[[[[[[[[[[ \"\"\" '")).empty());
  CHECK(DiagnosticsOf(Changed("\"File queue\"", "'back\\slash [é'")).empty());
  CHECK(DiagnosticsOf(Changed("\"File queue\"", "'''it's \"é\"'''")).empty());
  CHECK(DiagnosticsOf(Changed("\"File queue\"", "\"\"\"\"é\" [\"\"\"")).empty());
  CHECK(DiagnosticsOf(Changed("\"File queue\"", R"("\\\"é")")).empty());
  // A closing string of the other kind doesn't close: é is outside again.
  CHECK_FALSE(DiagnosticsOf(Changed("\"File queue\"", "\"File queue\" é")).empty());
}

TEST_CASE("every piece of a valid spec, cut anywhere, gives diagnostics and never a spec by halves") {
  for (std::size_t length = 0; length + 1 < kSpecText.size(); length += outgrown::test::Rounds(3, 1)) {
    const auto loaded = ParseSpec(kSpecText.substr(0, length), "queue.toml");
    CAPTURE(length);
    REQUIRE(loaded.spec.has_value() == loaded.diagnostics.empty());
  }
}

TEST_CASE("the tree keeps the file's order, places and kinds") {
  Report report("x.toml");
  const auto root =
      ParseToml("z = 1\na = [1.5, true]\n[t]\nd = 2026-11-23\n\"q k\" = '''\ntext'''\n", report);
  REQUIRE(root.has_value());
  using Kind = outgrown::spec::TomlNode::Kind;
  REQUIRE(root->entries.size() == 3);
  CHECK(root->entries[0].key == "z");
  CHECK(root->entries[1].key == "a");
  CHECK(root->entries[1].value.items[0].real == 1.5);
  CHECK(root->entries[1].value.items[1].kind == Kind::kBoolean);
  CHECK(root->entries[1].value.items[1].position == outgrown::spec::Position{2, 11});
  const auto& table = root->entries[2].value;
  CHECK(table.position == outgrown::spec::Position{3, 1});
  CHECK(table.entries[0].value.kind == Kind::kTime);
  CHECK(table.entries[1].key == "q k");
  CHECK(table.entries[1].position == outgrown::spec::Position{5, 1});
  CHECK(table.entries[1].value.string == "text");
  CHECK(table.entries[1].value.text == outgrown::spec::Position{6, 1});
}
