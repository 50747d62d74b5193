#include "thresholds/table_plan.h"

#include <optional>

#include <doctest/doctest.h>

#include "test/rulegen/support/tiny_spec.h"

using namespace outgrown;

TEST_CASE("a table made from a spec refers to its rows by index and outlives the spec") {
  std::optional<plan::OwnedTable> owned;
  {
    spec::Spec spec = test::TinySpec();
    spec.coverage.emplace();
    spec.coverage->unknown = {"depth"};
    spec.coverage->lower_bound = {"jobs_per_second"};
    owned = plan::MakeTable(spec);
  }
  const Table& table = owned->table();
  CHECK(table.store == "queue");
  CHECK(table.identity.size() == 3);
  CHECK(table.identity[2] == "path");
  CHECK(table.coverage_series == "queue:coverage_ratio");
  CHECK(table.coverage_minimum == 0.95);
  REQUIRE(table.thresholds.size() == 3);
  const ThresholdRow& row = table.thresholds[2];
  CHECK(row.alert == "QueueDepth");
  CHECK(table.signals[row.signal].series == "queue:depth");
  CHECK(table.verdicts[row.verdict].text == "MOVE SOON");
  CHECK(table.signals[0].uncovered == Uncovered::kLowerBound);
  CHECK(table.signals[1].uncovered == Uncovered::kUnknown);
  CHECK(table.thresholds[0].hold_ms == 600'000);
}

TEST_CASE("copies of an owned table share its rows") {
  const plan::OwnedTable first = plan::MakeTable(test::TinySpec());
  const plan::OwnedTable second = first;
  CHECK(&first.table() == &second.table());
}
