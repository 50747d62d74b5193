// Which stores a period is about, and how it is asked for: together, in stretches, back to when one fell silent.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "decision/evaluation.h"
#include "decision/measure/measure_period.h"
#include "decision/report/report_text.h"
#include "decision/report/wording.h"
#include "test/common/temporary_folder.h"
#include "test/decision/engine/sample_table.h"
#include "test/decision/hour.h"
#include "test/decision/memory_source.h"

using namespace outgrown;            // NOLINT(google-build-using-namespace): a test
using namespace outgrown::decision;  // NOLINT(google-build-using-namespace)
using outgrown::test::AuditOf;
using outgrown::test::Hour;
using outgrown::test::kErrorSeries;
using outgrown::test::kHourMs;
using outgrown::test::kMemoryE;
using outgrown::test::kMemoryT;
using outgrown::test::kSampleTable;
using outgrown::test::LineOf;
using outgrown::test::MemorySource;

namespace {

// The hour before kMemoryT, of each store.
std::vector<PeriodBegin> Begins(std::size_t stores) {
  return std::vector<PeriodBegin>(stores, {.from_ms = kMemoryT - kHourMs});
}

void CheckSame(const Period& a, const Period& b) {
  for (std::size_t index = 0; index < kSampleTable.thresholds.size(); ++index) {
    CHECK(a.thresholds[index].breached_evaluations == b.thresholds[index].breached_evaluations);
    CHECK(a.thresholds[index].breached_first_ms == b.thresholds[index].breached_first_ms);
    CHECK(a.thresholds[index].breached_last_ms == b.thresholds[index].breached_last_ms);
    CHECK(a.thresholds[index].longest_beyond_ms == b.thresholds[index].longest_beyond_ms);
    CHECK(a.thresholds[index].unknown.stretches == b.thresholds[index].unknown.stretches);
  }
}

}  // namespace

TEST_CASE("the shares of each store are those of its own period") {
  Hour hour;
  hour.source.AddHealthyStore("b");
  for (const char* store : {"a", "b"}) hour.source.SetValue(store, kErrorSeries, 0.02, 30);
  const Table& table = outgrown::test::SampleTableWithWindows();
  Evaluation evaluation = EvaluateMeasured(table, hour.source, kMemoryT, kHourMs);
  REQUIRE(evaluation.stores.size() == 2);
  hour.source.asked.clear();
  LookBack(evaluation, hour.source, std::vector<PeriodBegin>{{kMemoryT - kHourMs}, {kMemoryT - kHourMs / 2}});
  const std::string split = fmt::format("avg_over_time({}", outgrown::test::kSampleSplit);
  std::vector<std::string> asked = hour.source.asked;
  std::erase_if(asked, [&](const std::string& promql) { return !promql.starts_with(split); });
  std::ranges::sort(asked);
  CHECK(asked == std::vector<std::string>{split + "[1h])", split + "[30m])"});
}

TEST_CASE(
    "over a long period the stores are those of all of it, and a vanished one is reported with when it was "
    "last "
    "seen") {
  struct Case {
    std::string_view what;
    std::int64_t hours_later;  // T after the last sample
    int period_minutes;
    std::string_view line;  // "": no such store
    std::string_view silence;
  };
  const std::string_view errors = "MIGRATE NOW - Write errors >1% (SQLite saturated)";
  const std::string_view since = "no data since 2026-09-21 14:13:30 UTC";
  const std::vector<Case> cases = {
      {"a day later, a day looked back", 25, 26 * 60, errors, since},
      {"four days later, five looked back", 96, 120 * 60, errors, since},
      {"four days later, the vanishing within the period and the breach before it", 96, 96 * 60 + 10,
       "UNDETERMINED - no data since 2026-09-21 14:13:30 UTC", ""},
      {"four days later, a day looked back", 96, 24 * 60, "", ""},
      {"a month later, a month and two days looked back", 720, 768 * 60, errors, since},
  };
  for (const Case& example : cases) {
    CAPTURE(example.what);
    Hour hour;
    hour.Burst(kErrorSeries, 0.02, 60, 11);
    const std::int64_t time_ms = kMemoryT + example.hours_later * kHourMs;
    const std::int64_t period_ms = example.period_minutes * std::int64_t{60'000};
    Evaluation evaluation = EvaluateMeasured(kSampleTable, hour.source, time_ms, period_ms);
    LookBack(evaluation, hour.source, time_ms - period_ms);
    CHECK(evaluation.stores.size() == (example.line.empty() ? 0 : 1));
    if (example.line.empty()) {
      CHECK(NoStoreLine(evaluation) ==
            "UNDETERMINED - no store found: no series checkpoint_block_up for 26 hours");
      continue;
    }
    REQUIRE_FALSE(evaluation.stores.empty());
    CHECK(LineOf(evaluation) == example.line);
    CHECK(SilenceText(evaluation.stores[0]) == example.silence);
    CHECK(AuditOf(evaluation) == "");
    const std::vector<Evaluation> evaluations = {evaluation};
    CHECK(TextReport(evaluations, {}).find("no data since 2026-09-21 14:13:30 UTC") != std::string::npos);
  }
}

TEST_CASE("since when a store is silent is asked for no further back than it takes, 26 hours at a time") {
  for (const auto& row : {std::pair(1, 1), std::pair(25, 1), std::pair(27, 2), std::pair(60, 3)}) {
    const int hours_later = row.first;
    const int queries = row.second;
    CAPTURE(hours_later);
    Hour hour;
    const std::int64_t time_ms = kMemoryT + hours_later * kHourMs;
    const Evaluation evaluation = EvaluateMeasured(kSampleTable, hour.source, time_ms, 240 * kHourMs);
    CHECK(evaluation.stores.at(0).samples.last_seen_ms == kMemoryE);
    CHECK(evaluation.fleet.presence_queries.size() == 2 + static_cast<std::size_t>(queries));
  }
}

TEST_CASE(
    "a period in stretches gives what it gives in one piece, and so does one that begins later than others") {
  // More stores than one query's samples allow, so that the hour takes several stretches.
  MemorySource source;
  for (int store = 0; store < 3; ++store) source.AddHealthyStore("store-" + std::to_string(store));
  source.SetValue("store-1", kErrorSeries, 0.02, 100);
  source.SetValue("store-1", kErrorSeries, 0.001, 50);
  std::vector<std::vector<std::string>> identities = {{"app", "app-1:9108", "store-1"}};
  FleetSamples notes;
  const auto whole =
      MeasurePeriod(kSampleTable, source, Begins(identities.size()), kMemoryT, identities, notes);
  const std::size_t queries = source.asked.size();
  while (identities.size() < 17'000) {
    identities.push_back({"app", "app-1:9108", "other-" + std::to_string(identities.size())});
  }
  source.asked.clear();
  const auto pieces =
      MeasurePeriod(kSampleTable, source, Begins(identities.size()), kMemoryT, identities, notes);
  CHECK(source.asked.size() == 4 * (queries - 1) + 1);  // who was there before is asked once
  CheckSame(pieces[0], whole[0]);
  // At the beginning of a stretch and in the burst, and within one.
  for (const std::int64_t minutes : {40, 3}) {
    CAPTURE(minutes);
    std::vector<PeriodBegin> begins = Begins(identities.size());
    begins[0].from_ms = kMemoryT - minutes * 60'000;
    const auto later = MeasurePeriod(kSampleTable, source, begins, kMemoryT, identities, notes);
    const std::vector<PeriodBegin> own = {begins[0]};
    const auto alone = MeasurePeriod(kSampleTable, source, own, kMemoryT, {identities[0]}, notes);
    CheckSame(later[0], alone[0]);
    CHECK(later[0].from_ms == begins[0].from_ms);
  }
}

TEST_CASE("what lacked a label that names stores at some time of the period was not judged") {
  MemorySource source;
  source.AddHealthyStore("a");
  const std::vector<std::vector<std::string>> identities = {{"app", "app-1:9108", "a"}};
  FleetSamples notes;
  static_cast<void>(
      MeasurePeriod(kSampleTable, source, Begins(identities.size()), kMemoryT, identities, notes));
  CHECK_FALSE(notes.without_identity);
  REQUIRE_FALSE(source.asked.empty());
  source.changing[source.asked.back()] = [](prometheus_api::Answer& answer) {
    prometheus_api::Series series = answer.series.at(0);
    std::erase_if(series.labels, [](const auto& label) { return label.first == "database"; });
    answer.series.push_back(series);
  };
  static_cast<void>(
      MeasurePeriod(kSampleTable, source, Begins(identities.size()), kMemoryT, identities, notes));
  CHECK(notes.without_identity);
  CHECK(notes.warnings.size() == 1);
}
