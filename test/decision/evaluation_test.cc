#include "decision/evaluation.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "decision/exit_status.h"
#include "decision/report/wording.h"
#include "test/decision/engine/sample_table.h"
#include "test/decision/memory_source.h"

using namespace outgrown;            // NOLINT(google-build-using-namespace): a test
using namespace outgrown::decision;  // NOLINT(google-build-using-namespace)
using outgrown::test::kMemoryE;
using outgrown::test::kMemoryT;
using outgrown::test::kSampleTable;
using outgrown::test::MemorySource;

TEST_CASE("the whole fleet takes a handful of queries, however many stores there are") {
  MemorySource source;
  for (int store = 0; store < 50; ++store) source.AddHealthyStore("store-" + std::to_string(store));
  const Evaluation evaluation = EvaluateMeasured(kSampleTable, source, kMemoryT);
  CHECK(evaluation.stores.size() == 50);
  CHECK(source.asked.size() == 2 + 5 + 1 + 1);  // presence, signals, coverage, alerts
  for (const StoreDecision& store : evaluation.stores)
    CHECK(VerdictLine(kSampleTable, store) == "SQLite sufficient");
}

TEST_CASE("a partial answer is no verdict, and the value that it holds is shown") {
  MemorySource source;
  source.AddHealthyStore("a");
  source.SetValue("a", "checkpoint:write_error_ratio", 0.02, 20);
  EvaluateMeasured(kSampleTable, source, kMemoryT);
  const auto asked = std::ranges::find_if(source.asked, [](const std::string& promql) {
    return promql.starts_with("checkpoint:write_error_ratio[");
  });
  REQUIRE(asked != source.asked.end());
  source.changing[*asked] = [](prometheus_api::Answer& answer) { answer.partial = true; };
  const Evaluation evaluation = EvaluateMeasured(kSampleTable, source, kMemoryT);
  CHECK(VerdictLine(kSampleTable, evaluation.stores.at(0)) ==
        "UNDETERMINED - Write errors: the server's answer may be incomplete");
  REQUIRE(Newest(evaluation.stores[0], 0));
  CHECK(Newest(evaluation.stores[0], 0)->value == 0.02);
}

TEST_CASE("a series that rules with different expressions record is no verdict") {
  MemorySource source;
  source.AddHealthyStore("a");
  const auto line = [&](const std::string& series) {
    Evaluation evaluation =
        EvaluateMeasured(kSampleTable, source, kMemoryT, 0, {.differ = {{series, {"old.yml", "new.yml"}}}});
    CHECK(std::ranges::count(evaluation.fleet.warnings,
                             series + " is recorded by rules with different expressions (old.yml, new.yml): "
                                      "remove the older ones") == 1);
    LookBack(evaluation, source, kMemoryT - 600'000);
    return VerdictLine(kSampleTable, evaluation.stores.at(0));
  };
  CHECK(line("checkpoint:other").starts_with("SQLite sufficient"));
  CHECK(line("checkpoint:write_error_ratio")
            .starts_with("UNDETERMINED - Write errors: rules with different expressions record it"));
  CHECK(line("checkpoint:coverage_ratio").starts_with("UNDETERMINED"));
}

TEST_CASE("no query compares a value with a limit") {
  MemorySource source;
  source.AddHealthyStore("a");
  Evaluation evaluation = EvaluateMeasured(kSampleTable, source, kMemoryT);
  AddTrends(evaluation, source);
  for (const std::string& promql : source.asked) {
    CAPTURE(promql);
    CHECK(promql.find_first_of("<>") == std::string::npos);
  }
}

TEST_CASE("the trend takes a query a signal, and none of a fleet whose history is too much to read") {
  for (const auto& [stores, queries] :
       {std::pair(50, 5), std::pair(static_cast<int>(kTrendStoresMax) + 1, 0)}) {
    MemorySource source;
    for (int store = 0; store < stores; ++store) source.AddHealthyStore("store-" + std::to_string(store));
    Evaluation evaluation = EvaluateMeasured(kSampleTable, source, kMemoryT);
    source.asked.clear();
    AddTrends(evaluation, source);
    CHECK(source.asked.size() == static_cast<std::size_t>(queries));
    CHECK(evaluation.stores.front().trends.size() == (queries == 0 ? 0 : kSampleTable.thresholds.size()));
  }
}

TEST_CASE("a trend that is not answered is unknown and noted, and answers for nothing else") {
  MemorySource source;
  source.AddHealthyStore("a");
  Evaluation evaluation = EvaluateMeasured(kSampleTable, source, kMemoryT);
  evaluation.fleet.answered = false;
  for (std::size_t signal = 0; signal < kSampleTable.signals.size(); ++signal)
    source.failing[TrendQuery(kSampleTable, signal)] = "gone";
  AddTrends(evaluation, source);
  CHECK(evaluation.stores[0].trends[0].kind == TrendKind::kUnknown);
  CHECK(evaluation.fleet.warnings.back() == "no trend of P99 write latency: gone");
  source.failing.clear();
  AddTrends(evaluation, source);
  CHECK_FALSE(evaluation.fleet.answered);
}

TEST_CASE("what lacks a label that names stores was not judged, and the run says so beside healthy stores") {
  const auto without_identity = [](prometheus_api::Answer& answer) {
    prometheus_api::Series series = answer.series[0];
    std::erase_if(series.labels, [](const auto& label) { return label.first == "database"; });
    answer.series.push_back(series);
  };
  for (const std::string query :
       {"count by (job, instance, database) (last_over_time(checkpoint_block_up[1d2h]))",
        "count by (job, instance, database) (checkpoint_block_up)", "checkpoint:write_error_ratio[6h7m]",
        "checkpoint:coverage_ratio[6h13m]"}) {
    CAPTURE(query);
    MemorySource source;
    source.AddHealthyStore("a");
    source.changing[query] = without_identity;
    std::vector<Evaluation> evaluations = {EvaluateMeasured(kSampleTable, source, kMemoryT)};
    CHECK(std::ranges::find(source.asked, query) != source.asked.end());
    CHECK(evaluations[0].stores.size() == 1);
    CHECK(VerdictLine(kSampleTable, evaluations[0].stores[0]) == "SQLite sufficient");
    CHECK(evaluations[0].fleet.warnings.size() == 1);
    CHECK(EvaluateExitStatus(evaluations, false) == 30);
    source.changing.clear();
    evaluations = {EvaluateMeasured(kSampleTable, source, kMemoryT)};
    CHECK(EvaluateExitStatus(evaluations, false) == 0);
  }
  MemorySource source;
  source.present["a"] = kMemoryE;
  source.changing["count by (job, instance, database) (checkpoint_block_up)"] = [&](auto& answer) {
    without_identity(answer);
    answer.series.erase(answer.series.begin());
  };
  source.changing["count by (job, instance, database) (last_over_time(checkpoint_block_up[1d2h]))"] =
      [](auto& answer) { answer.series.clear(); };
  CHECK(NoStoreLine(EvaluateMeasured(kSampleTable, source, kMemoryT)) ==
        "UNDETERMINED - no store found: the series lack one of the labels that name a store (job, "
        "instance, database)");
}

TEST_CASE("a store that only its signals show is listed and undetermined") {
  MemorySource source;
  source.AddHealthyStore("a");
  source.present.clear();
  const Evaluation evaluation = EvaluateMeasured(kSampleTable, source, kMemoryT);
  REQUIRE(evaluation.stores.size() == 1);
  CHECK(VerdictLine(kSampleTable, evaluation.stores[0]) ==
        "UNDETERMINED - whether the store still reports is not known");
}
