#include "decision/history/timeline.h"

#include <vector>

#include <doctest/doctest.h>

#include "decision/history/compare.h"
#include "decision/history/strip.h"
#include "test/decision/engine/sample_table.h"

using namespace outgrown;
using namespace outgrown::history;
using engine::Decision;
using engine::Outcome;

namespace {

constexpr Grid kGrid = {.from_ms = 0, .to_ms = 90'000, .step_ms = 10'000, .begin_ms = -10'000};

const Decision kFine{.outcome = Outcome::kSufficient};
const Decision kNow{.outcome = Outcome::kBreached, .verdict = 1, .lead = 0};
const Decision kSoon{.outcome = Outcome::kBreached, .verdict = 0, .lead = 3};

// One character an instant: "." sufficient, "s" soon, "n" now, "?" undetermined, " " not there.
StoreTimeline Timeline(std::string_view instants) {
  StoreTimeline timeline;
  timeline.identity = {"app", "app-1", "a"};
  for (std::size_t index = 0; index < instants.size(); ++index) {
    const std::int64_t time_ms = kGrid.At(static_cast<std::int64_t>(index));
    if (instants[index] == '.') Append(kGrid, time_ms, kFine, timeline);
    if (instants[index] == 's') Append(kGrid, time_ms, kSoon, timeline);
    if (instants[index] == 'n') Append(kGrid, time_ms, kNow, timeline);
    if (instants[index] == '?') Append(kGrid, time_ms, Decision{.cause = engine::Cause::kSilent}, timeline);
  }
  return timeline;
}

Backtest Of(std::string_view instants) {
  Backtest one;
  one.table = &test::kSampleTable;
  one.grid = kGrid;
  one.choices = decision::AllRecorded(test::kSampleTable);
  one.stores = {Timeline(instants)};
  return one;
}

}  // namespace

TEST_CASE("the grid ends at T and reaches back no further than it was asked to") {
  const Grid grid = MakeGrid(100'000, 35'000, 10'000);
  CHECK(grid.from_ms == 70'000);
  CHECK(grid.count() == 4);
  CHECK(MakeGrid(100'000, 5'000, 10'000).count() == 1);
}

TEST_CASE("an instant stands for the step before it, as far as the period reaches") {
  const Grid grid = MakeGrid(100'000, 35'000, 10'000);
  CHECK(grid.LengthMs(80'000, 80'000) == 10'000);
  CHECK(grid.LengthMs(70'000, 70'000) == 5'000);
  CHECK(grid.LengthMs(70'000, 100'000) == 35'000);
  const Grid one = MakeGrid(100'000, 1'000, 3'600'000);
  CHECK(one.LengthMs(one.from_ms, one.to_ms) == 1'000);
  const Grid whole = MakeGrid(100'000, 30'000, 10'000);
  CHECK(whole.LengthMs(whole.from_ms, whole.to_ms) == 30'000);
}

TEST_CASE("equal instants in a row are one interval, and a store that was not there ends it") {
  const StoreTimeline timeline = Timeline("..nn. ..??");
  REQUIRE(timeline.intervals.size() == 5);
  CHECK(timeline.intervals[1].first_ms == 20'000);
  CHECK(timeline.intervals[1].last_ms == 30'000);
  CHECK(timeline.intervals[3].first_ms == 60'000);
}

TEST_CASE("totals tell the worst first, with how long, how often, first and last") {
  const std::vector<VerdictTotal> totals = Totals(test::kSampleTable, kGrid, Timeline("..nn.?.nss"));
  REQUIRE(totals.size() == 4);
  CHECK(totals[0].decision.verdict == 1);
  CHECK(totals[0].length_ms == 30'000);
  CHECK(totals[0].times == 2);
  CHECK(totals[0].first_ms == 20'000);
  CHECK(totals[0].last_ms == 70'000);
  CHECK(totals[1].decision.outcome == Outcome::kUndetermined);
  CHECK(totals[2].times == 1);
  CHECK(totals[3].length_ms == 40'000);
}

TEST_CASE("the strip shows the worst of each column and leaves room where there was no store") {
  CHECK(Strip(test::kSampleTable, kGrid, Timeline("..nn. ??ss"), 10, false) == "▁▁██▁ ??▆▆");
  CHECK(Strip(test::kSampleTable, kGrid, Timeline(".n........"), 5, false) == "█▁▁▁▁");
  CHECK(Strip(test::kSampleTable, kGrid, Timeline(".n........"), 20, false) == "▁▁██▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁");
}

TEST_CASE("only instants with another verdict are changes, and a store on one side alone is one") {
  const std::vector<StoreChanges> stores = Compare(Of("..nn..  ss"), Of("..ss..nnss"));
  REQUIRE(stores.size() == 1);
  const std::vector<Change>& changes = stores[0].changes;
  REQUIRE(changes.size() == 2);
  CHECK(changes[0].first_ms == 20'000);
  CHECK(changes[0].last_ms == 30'000);
  CHECK(changes[0].from == kNow);
  CHECK(changes[0].to == kSoon);
  CHECK(changes[1].first_ms == 60'000);
  CHECK(changes[1].last_ms == 70'000);
  CHECK_FALSE(changes[1].from.has_value());
  CHECK(Compare(Of("..nn"), Of("..nn")).empty());
}
