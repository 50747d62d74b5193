#include "thresholds/spec_table.h"

#include <optional>

#include <doctest/doctest.h>

#include "test/rulegen/support/tiny_spec.h"

using namespace outgrown;

TEST_CASE("a table made from a spec refers to its rows by index and outlives the spec") {
  std::optional<spec::OwnedTable> owned;
  {
    spec::Spec spec = test::TinySpec();
    spec.coverage.emplace();
    spec.coverage->unknown = {"depth"};
    spec.coverage->lower_bound = {"jobs_per_second"};
    spec.coverage->expr = "max by (job, instance, path) (max_over_time(queue_up[10m]))";
    spec.coverage->reason = "max by (job, instance, path, reason) (queue_problem_info) == 1";
    spec.coverage->reasons = {{"other_file", "the queue is another one"}};
    spec.signals[0].split = "max by (job, instance, path, reason) (rate(queue_errors_total[5m]))";
    spec.signals[1].split = spec.signals[0].split;
    spec.signals[1].advice = {{"full", "free the disk"}};
    owned = spec::MakeTable(spec);
  }
  const Table& table = owned->table();
  CHECK(table.store == "queue");
  CHECK(table.identity.size() == 3);
  CHECK(table.identity[2] == "path");
  CHECK(table.coverage_series == "queue:coverage_ratio");
  CHECK(table.coverage_minimum == 0.95);
  CHECK(table.coverage_maximum == 1.05);
  CHECK(table.coverage_window_ms == 600'000);
  CHECK(table.reason_series == "queue:coverage_reason");
  REQUIRE(table.reasons.size() == 1);
  CHECK(table.reasons[0].id == "other_file");
  CHECK(table.reasons[0].sentence == "the queue is another one");
  CHECK(table.signals[0].split_series == "queue:jobs_per_second:split");
  CHECK(table.signals[0].window_ms == 300'000);
  REQUIRE(table.advice.size() == 1);
  CHECK(table.advice[0].signal == 1);
  CHECK(table.advice[0].reason == "full");
  CHECK(table.advice[0].sentence == "free the disk");
  CHECK(table.signals[1].window_ms == 0);
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
  const spec::OwnedTable first = spec::MakeTable(test::TinySpec());
  const spec::OwnedTable second = first;
  CHECK(&first.table() == &second.table());
}
