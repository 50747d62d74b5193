// The list of keys, the parser and the reference are one.
#include "thresholds/tables.h"

#include <algorithm>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "test/thresholds/reference.h"
#include "test/thresholds/spec_text.h"
#include "thresholds/names.h"
#include "thresholds/table.h"

using outgrown::spec::Key;
using outgrown::spec::Need;
using outgrown::spec::TableKeys;
using outgrown::spec::Tables;
using outgrown::test::DiagnosticsOf;
using outgrown::test::Reference;
using outgrown::test::RowOf;
using outgrown::test::SectionOf;

TEST_CASE("docs/spec.md has a row for every key of every table, and for no other") {
  const std::string reference = Reference();
  const std::regex row("\n\\| `([a-z_]+)` \\|");
  for (const TableKeys& table : Tables()) {
    CAPTURE(table.header);
    const std::string section = SectionOf(reference, table);
    REQUIRE_FALSE(section.empty());
    std::set<std::string> documented;
    for (auto at = std::sregex_iterator(section.begin(), section.end(), row); at != std::sregex_iterator();
         ++at) {
      documented.insert((*at)[1]);
    }
    std::set<std::string> known;
    for (const Key& key : table.keys) known.insert(std::string(key.name));
    CHECK(documented == known);
  }
}

TEST_CASE("docs/spec.md says of every key its type, default, meaning and an example") {
  const std::string reference = Reference();
  for (const TableKeys& table : Tables()) {
    CAPTURE(table.header);
    const std::string section = SectionOf(reference, table);
    CHECK(RowOf(section, "key") == std::vector<std::string>{"key", "type", "default", "meaning", "example"});
    for (const Key& key : table.keys) {
      CAPTURE(key.name);
      const std::vector<std::string> cells = RowOf(section, key);
      REQUIRE(cells.size() == 5);
      CHECK(std::ranges::find(cells, "") == cells.end());
      CHECK((cells[2] == "required") == (key.need == Need::kRequired));
    }
  }
}

TEST_CASE("docs/spec.md names every unit") {
  const std::string reference = Reference();
  for (const std::string_view unit : outgrown::kUnitNames) {
    CAPTURE(unit);
    CHECK(reference.find("`" + std::string(unit) + "`") != std::string::npos);
  }
}

TEST_CASE("the parser takes every key of the list, and an unknown one in no table") {
  for (const TableKeys& table : Tables()) {
    CAPTURE(table.header);
    const std::string header = table.name.empty() ? "" : std::string(table.header) + "\n";
    std::string parent;
    if (table.name == "signal.test") parent = "[[signal]]\n";
    if (table.name == "coverage.test") parent = "[coverage]\n";
    if (table.name == "watch.test") parent = "[[watch]]\n";
    for (const Key& key : table.keys) {
      CAPTURE(key.name);
      // A date is right for no key, and is found to be wrong rather than unknown.
      const std::string found = DiagnosticsOf(parent + header + std::string(key.name) + " = 2026-11-28\n");
      CHECK(found.find("found a date or time, expected " + std::string(key.expected)) != std::string::npos);
    }
    const std::string unknown = DiagnosticsOf(parent + header + "qqq = true\n");
    CHECK(unknown.find("qqq: found an unknown key") != std::string::npos);
  }
}

TEST_CASE("the example of docs/spec.md is a valid spec") {
  const std::string reference = Reference();
  const std::size_t begin = reference.find("```toml\n");
  REQUIRE(begin != std::string::npos);
  const std::size_t end = reference.find("```\n", begin + 8);
  CHECK(DiagnosticsOf(reference.substr(begin + 8, end - begin - 8)) == "");
}
