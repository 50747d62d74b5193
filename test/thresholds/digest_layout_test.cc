// What is written otherwise but means the same has the same digest.
#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "test/support/rounds.h"
#include "test/thresholds/spec_text.h"
#include "thresholds/digest.h"
#include "thresholds/parse.h"

using outgrown::spec::ParseSpec;
using outgrown::test::Changed;
using outgrown::test::DiagnosticsOf;
using outgrown::test::kSpecText;
using outgrown::test::Rounds;

namespace {

std::string DigestOf(std::string_view toml) {
  const auto loaded = ParseSpec(toml, "queue.toml");
  REQUIRE_MESSAGE(loaded.spec.has_value(), DiagnosticsOf(toml));
  return loaded.spec->digest;
}

// Another layout of the same spec: tables of one kind shuffled where their order means nothing, keys shuffled in
// their tables, comments, blanks and empty lines strewn in.
class Layout {
 public:
  explicit Layout(std::uint64_t seed) : random_(seed) {}

  std::string Of(std::string_view toml) {
    std::vector<Table> tables = Split(toml);
    // A table and the tests below it stay together; only the metrics' order among themselves is free, and that of
    // single tables among all.
    std::vector<std::vector<Table>> groups;
    for (Table& table : tables) {
      if (table.header.find(".test") == std::string::npos || groups.empty()) groups.emplace_back();
      groups.back().push_back(std::move(table));
    }
    std::vector<std::size_t> slots;
    std::vector<std::vector<Table>> free;
    for (std::size_t i = 1; i < groups.size(); ++i) {
      const std::string& header = groups[i][0].header;
      if (header.starts_with("[[") && header != "[[metric]]") continue;
      slots.push_back(i);
      free.push_back(groups[i]);
    }
    std::ranges::shuffle(free, random_);
    for (std::size_t i = 0; i < slots.size(); ++i) groups[slots[i]] = free[i];

    std::string text;
    for (const auto& group : groups) {
      for (const Table& table : group) Write(table, text);
    }
    return text;
  }

 private:
  struct Table {
    std::string header;                // "" for the root
    std::vector<std::string> entries;  // with their line ends
  };

  static std::vector<Table> Split(std::string_view toml) {
    std::vector<Table> tables(1);
    bool in_string = false;
    while (!toml.empty()) {
      const std::string line(toml.substr(0, toml.find('\n') + 1));
      toml.remove_prefix(line.size());
      if (in_string) {
        tables.back().entries.back() += line;
      } else if (line.starts_with('[')) {
        tables.push_back({line.substr(0, line.size() - 1), {}});
      } else if (line != "\n") {
        tables.back().entries.push_back(line);
      }
      if (line.find("\"\"\"") != std::string::npos) in_string = !in_string;
    }
    return tables;
  }

  bool Chance() { return random_() % 3 == 0; }
  std::string Blanks() { return std::string(random_() % 3, random_() % 2 == 0 ? ' ' : '\t'); }

  void Noise(std::string& text) {
    while (Chance()) text += Blanks() + "\n";
    if (Chance()) text += Blanks() + "# noise [x] = \"\"\" é\n";
  }

  void Write(Table table, std::string& text) {
    Noise(text);
    if (!table.header.empty()) text += Blanks() + table.header + Blanks() + (Chance() ? "# why" : "") + "\n";
    std::ranges::shuffle(table.entries, random_);
    for (std::string entry : table.entries) {
      const std::size_t equals = entry.find(" = ");
      entry.replace(equals, 3, Blanks() + "=" + Blanks());
      if (entry.starts_with("expr")) entry = Reflow(entry);
      text += Blanks() + entry;
      Noise(text);
    }
  }

  // White space in an expression where it means nothing.
  std::string Reflow(const std::string& entry) {
    const bool multiline = entry.find("\"\"\"") != std::string::npos;
    std::string text;
    for (const char c : entry) {
      const bool free = c == '(' || c == ')' || c == ',' || c == '[' || c == ']';
      if (free && Chance()) text += multiline ? "  \n # (\n" : "  ";
      text += c;
      if (free && Chance()) text += "\t";
    }
    return text;
  }

  std::mt19937_64 random_;
};

}  // namespace

TEST_CASE("comments, layout and the order of keys don't change the digest") {
  constexpr std::uint64_t kSeed = 20261123;
  const std::string digest = DigestOf(kSpecText);
  for (std::uint64_t seed = kSeed; seed < kSeed + Rounds(60, 300); ++seed) {
    CAPTURE(seed);
    const std::string other = Layout(seed).Of(kSpecText);
    CAPTURE(other);
    REQUIRE(DiagnosticsOf(other) == "");
    REQUIRE(DigestOf(other) == digest);
  }
}

TEST_CASE("what is written otherwise but means the same has the same digest") {
  const std::string digest = DigestOf(kSpecText);
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"above = 100", "above = 100.0"},
      {"above = 100", "above = 1e2"},
      {"for = \"5m\"", "for = \"300s\""},
      {"at = \"10m\"", "at = \"9m60s\""},
      {"\"File queue\"", "'File queue'"},
      {"\"File queue\"", "\"File\\u0020queue\""},
      {"\"File queue\"", "\"\"\"\nFile queue\"\"\""},
      {"labels = [\"status\", \"kind\"]", "labels = [\n  \"kind\",\n  \"status\",\n]"},
      {"help = \"1 if the queue was read.\"", "help = \"1 if the queue was read.\"\nlabels = []"},
      {"unknown = [\"jobs_per_second\", \"depth\"]",
       "unknown = [\"depth\", \"jobs_per_second\"]\nminimum = 0.95"},
      {"unit = \"count\"", "unit = \"count\"\ndescription = \"\""},
      {"because = \"Jobs >100/sec\"", "because = \"Jobs >100/sec\"\nlook = \"\"\nact = \"\""},
      {"{ queue_up = \"1x80\" }", "{ 'queue_up ' = \"  1x80 \" }"},
      {"{ 'queue_jobs_total{status=\"ok\"}' = \"0+15x80\", 'queue_jobs_total{status=\"failed\"}' = \"0x80\" "
       "}",
       "{ 'queue_jobs_total { status = \"failed\" }' = \"0x80\", 'queue_jobs_total{status=\"ok\"}' = "
       "\"0+15x80\" }"},
      {"\"max by (job, instance, path) (queue_up)\"", "\"max by(job,instance,path)(queue_up) # why\""},
  };
  for (const auto& row : rows) {  // clang's lambdas, and so CAPTURE, take no structured binding
    CAPTURE(row.second);
    CHECK(DigestOf(Changed(row.first, row.second)) == digest);
  }
}
