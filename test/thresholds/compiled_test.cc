#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "common/text.h"
#include "thresholds/parse.h"
#include "thresholds/spec_table.h"
#include "thresholds/table.h"

using namespace outgrown;

namespace {

void CheckEqual(const ThresholdRow& left, const ThresholdRow& right) {
  CHECK(left.id == right.id);
  CHECK(left.alert == right.alert);
  CHECK(left.signal == right.signal);
  CHECK(left.verdict == right.verdict);
  CHECK(left.direction == right.direction);
  CHECK(std::bit_cast<std::uint64_t>(left.limit) == std::bit_cast<std::uint64_t>(right.limit));
  CHECK(left.hold_ms == right.hold_ms);
  CHECK(left.because == right.because);
}

}  // namespace

TEST_CASE("where the shipped spec judges a rate by commits alone is the coverage's maximum") {
  const spec::LoadedSpec loaded =
      spec::LoadSpec(std::string(OUTGROWN_SOURCE_ROOT) + "/rules/checkpoint.toml");
  REQUIRE(loaded.spec.has_value());
  const auto signal = std::ranges::find(loaded.spec->signals, "writes_per_second", &spec::Signal::id);
  REQUIRE(signal != loaded.spec->signals.end());
  // Expressions of signals have no placeholders, since the digest is made of them as they are written.
  CHECK(signal->expr.find(" - " + ExactNumber(loaded.spec->coverage->maximum) +
                          " * rate(checkpoint_store_commits_total[5m])") != std::string::npos);
}

TEST_CASE("the compiled table is what the shipped spec makes at run time") {
  const spec::LoadedSpec loaded =
      spec::LoadSpec(std::string(OUTGROWN_SOURCE_ROOT) + "/rules/checkpoint.toml");
  REQUIRE(loaded.spec.has_value());
  const spec::OwnedTable owned = spec::MakeTable(*loaded.spec);
  const Table& made = owned.table();
  const Table& compiled = CompiledTable();
  CHECK(compiled.store == made.store);
  CHECK(compiled.title == made.title);
  CHECK(compiled.sufficient == made.sufficient);
  CHECK(compiled.next == made.next);
  CHECK(compiled.present == made.present);
  CHECK(compiled.digest == made.digest);
  CHECK(compiled.interval_ms == made.interval_ms);
  CHECK(compiled.scrape_interval_ms == made.scrape_interval_ms);
  CHECK(compiled.keep_firing_for_ms == made.keep_firing_for_ms);
  CHECK(compiled.coverage_series == made.coverage_series);
  CHECK(compiled.coverage_minimum == made.coverage_minimum);
  CHECK(compiled.coverage_maximum == made.coverage_maximum);
  CHECK(compiled.coverage_window_ms == made.coverage_window_ms);
  CHECK(compiled.reason_series == made.reason_series);
  REQUIRE(compiled.reasons.size() == made.reasons.size());
  for (std::size_t i = 0; i < made.reasons.size(); ++i) {
    CHECK(compiled.reasons[i].id == made.reasons[i].id);
    CHECK(compiled.reasons[i].sentence == made.reasons[i].sentence);
  }
  REQUIRE(compiled.advice.size() == made.advice.size());
  for (std::size_t i = 0; i < made.advice.size(); ++i) {
    CHECK(compiled.advice[i].signal == made.advice[i].signal);
    CHECK(compiled.advice[i].reason == made.advice[i].reason);
    CHECK(compiled.advice[i].sentence == made.advice[i].sentence);
  }
  CHECK(std::ranges::equal(compiled.identity, made.identity));
  REQUIRE(compiled.verdicts.size() == made.verdicts.size());
  for (std::size_t i = 0; i < made.verdicts.size(); ++i) {
    CHECK(compiled.verdicts[i].id == made.verdicts[i].id);
    CHECK(compiled.verdicts[i].text == made.verdicts[i].text);
    CHECK(compiled.verdicts[i].severity == made.verdicts[i].severity);
    CHECK(compiled.verdicts[i].exit_code == made.verdicts[i].exit_code);
  }
  REQUIRE(compiled.signals.size() == made.signals.size());
  for (std::size_t i = 0; i < made.signals.size(); ++i) {
    CHECK(compiled.signals[i].id == made.signals[i].id);
    CHECK(compiled.signals[i].title == made.signals[i].title);
    CHECK(compiled.signals[i].series == made.signals[i].series);
    CHECK(compiled.signals[i].unit == made.signals[i].unit);
    CHECK(compiled.signals[i].uncovered == made.signals[i].uncovered);
    CHECK(compiled.signals[i].split_series == made.signals[i].split_series);
    CHECK(compiled.signals[i].window_ms == made.signals[i].window_ms);
  }
  REQUIRE(compiled.thresholds.size() == made.thresholds.size());
  for (std::size_t i = 0; i < made.thresholds.size(); ++i)
    CheckEqual(compiled.thresholds[i], made.thresholds[i]);
}

// The wording is a promise of its own: README.md and the runbooks of whoever uses it quote these lines. The limits are the
// spec's alone.
TEST_CASE("the shipped thresholds print the six lines that README promises") {
  struct Row {
    std::string_view because;
    std::string_view verdict;
  };
  constexpr Row kRows[] = {
      {"Write errors >1% (SQLite saturated)", "MIGRATE NOW"},
      {"Throughput >100/sec (capacity ceiling)", "MIGRATE NOW"},
      {"Multi-server requires network DB", "MIGRATE NOW"},
      {"Throughput >80/sec (approaching capacity ceiling)", "MIGRATE SOON"},
      {"File size >5GB (performance degradation likely)", "MIGRATE SOON"},
      {"P99 write latency >100ms (lock contention likely)", "MIGRATE SOON"},
  };
  const Table& table = CompiledTable();
  REQUIRE(table.thresholds.size() == std::size(kRows));
  for (std::size_t i = 0; i < std::size(kRows); ++i) {
    const ThresholdRow& row = table.thresholds[i];
    CHECK(row.because == kRows[i].because);
    CHECK(table.verdicts[row.verdict].text == kRows[i].verdict);
  }
  CHECK(table.sufficient == "SQLite sufficient");
}
