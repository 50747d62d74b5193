#include "decision/alerts.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "decision/evaluation.h"
#include "prometheus/ask.h"
#include "test/decision/agreement.h"
#include "test/decision/engine/sample_table.h"
#include "test/decision/memory_source.h"

using namespace outgrown;            // NOLINT(google-build-using-namespace): a test
using namespace outgrown::decision;  // NOLINT(google-build-using-namespace)
using outgrown::prometheus_api::SamplesQuestion;
using outgrown::test::AgreementOf;
using outgrown::test::kErrorRatioSeries;
using outgrown::test::kMemoryT;
using outgrown::test::kSampleTable;
using outgrown::test::MemorySource;

TEST_CASE("alert and decision are compared at the evaluation that the decision rests on") {
  struct Case {
    std::string_view what;
    int beyond;                   // the newest evaluations above the limit
    const char* alert;            // the state of CheckpointWriteErrors, null for none
    std::int64_t started_ms_ago;  // Prometheus; -1: it doesn't say
    Agreement agreement;
  };
  const std::vector<Case> cases = {
      {"healthy, no alert", 0, nullptr, -1, Agreement::kAgrees},
      {"healthy, pending", 0, "pending", -1, Agreement::kDrift},
      {"healthy, firing", 0, "firing", -1, Agreement::kDrift},
      {"pending, none", 5, nullptr, -1, Agreement::kDrift},
      {"pending, pending", 5, "pending", -1, Agreement::kAgrees},
      {"pending, firing", 5, "firing", -1, Agreement::kDrift},
      {"breached, none", 11, nullptr, -1, Agreement::kDrift},
      {"breached, firing", 11, "firing", -1, Agreement::kAgrees},
      {"breached, pending, started who knows when", 11, "pending", -1, Agreement::kNotCompared},
      {"breached, pending, just started", 11, "pending", 900'000, Agreement::kPendingAfterStart},
      {"breached, pending, started earlier", 11, "pending", 900'001, Agreement::kDrift},
      {"breached, pending, started anew after T", 11, "pending", -5, Agreement::kNotCompared},
      // Of the evaluations at 7, 37, 67, ... seconds ago the first two after a start write no ALERTS.
      {"breached, none, just started", 11, nullptr, 1000, Agreement::kNotCompared},
      {"breached, none, two evaluations since the start", 11, nullptr, 66'000, Agreement::kNotCompared},
      {"breached, none, three evaluations since the start", 11, nullptr, 67'000, Agreement::kDrift},
      {"pending, none, just started", 5, nullptr, 1000, Agreement::kNotCompared},
      {"breached, none, started anew after T", 11, nullptr, -5, Agreement::kNotCompared},
  };
  for (const Case& example : cases) {
    CAPTURE(example.what);
    MemorySource source;
    source.AddHealthyStore("a");
    if (example.beyond > 0) source.SetValue("a", std::string(kErrorRatioSeries), 0.02, example.beyond);
    if (example.alert != nullptr) source.alerts[{"a", "CheckpointWriteErrors"}] = example.alert;
    if (example.started_ms_ago != -1) source.start_ms = kMemoryT - example.started_ms_ago;
    const Evaluation evaluation = EvaluateMeasured(kSampleTable, source, kMemoryT);
    CHECK(AgreementOf(evaluation, outgrown::test::kWriteErrors) == example.agreement);
  }
}

TEST_CASE("an alert that is missing among others is drift, also on a server that was started later") {
  MemorySource source;
  for (const std::string store : {"a", "b"}) {
    source.AddHealthyStore(store);
    source.SetValue(store, std::string(kErrorRatioSeries), 0.02, 11);
  }
  source.start_ms = kMemoryT + 5;
  const auto agreement = [&] {
    return AgreementOf(EvaluateMeasured(kSampleTable, source, kMemoryT), outgrown::test::kWriteErrors);
  };
  CHECK(agreement() == Agreement::kNotCompared);
  source.alerts[{"b", "CheckpointWriteErrors"}] = "firing";
  CHECK(agreement() == Agreement::kDrift);
}

TEST_CASE("alerts that lag are compared with what the decision was some evaluations earlier") {
  constexpr std::int64_t kEach = outgrown::test::kIntervalMs;
  struct Case {
    std::string_view what;
    int beyond;   // evaluations above the limit,
    int healthy;  // and those after them
    std::string_view alert;
    std::vector<std::int64_t> back_ms;  // when it is in that state, before E
    Agreement lagging;
    Agreement exact;
  };
  const std::vector<Case> cases = {
      {"just pending", 1, 0, "pending", {}, Agreement::kAgrees, Agreement::kDrift},
      {"just breached", 11, 0, "pending", {kEach, 0}, Agreement::kAgrees, Agreement::kNotCompared},
      {"just ended", 20, 1, "firing", {kEach, 0}, Agreement::kAgrees, Agreement::kFiringHeld},
      {"ended two evaluations ago",
       20,
       2,
       "firing",
       {2 * kEach, kEach},
       Agreement::kAgrees,
       Agreement::kAgrees},
      {"breached for long, without the alert", 20, 0, "firing", {}, Agreement::kDrift, Agreement::kDrift},
      {"healthy for long, with the alert", 0, 1, "firing", {kEach, 0}, Agreement::kDrift, Agreement::kDrift},
      {"held", 20, 31, "firing", {kEach, 0}, Agreement::kFiringHeld, Agreement::kDrift},
      {"not held any more", 20, 36, "firing", {kEach, 0}, Agreement::kDrift, Agreement::kDrift},
      {"stamped between evaluations",
       20,
       0,
       "firing",
       {kEach + 17'000, 17'000},
       Agreement::kAgrees,
       Agreement::kDrift},
      {"ended, stamped between evaluations",
       20,
       4,
       "firing",
       {2 * kEach + 17'000},
       Agreement::kAgrees,
       Agreement::kAgrees},
  };
  for (const Case& example : cases) {
    CAPTURE(example.what);
    MemorySource source;
    source.AddHealthyStore("a");
    source.SetValue("a", std::string(kErrorRatioSeries), 0.02, example.beyond + example.healthy);
    source.SetValue("a", std::string(kErrorRatioSeries), 0.001, example.healthy);
    source.alerts[{"a", "CheckpointWriteErrors"}] = example.alert;
    source.alerts_back_ms = example.back_ms;
    const auto agreement = [&](bool lag) {
      return AgreementOf(EvaluateMeasured(kSampleTable, source, kMemoryT, 0, {.alerts_lag = lag}),
                         outgrown::test::kWriteErrors);
    };
    CHECK(agreement(true) == example.lagging);
    CHECK(agreement(false) == example.exact);
  }
}

TEST_CASE("where alerts lag, the samples of a fleet reach as much further back") {
  MemorySource source;
  for (int store = 0; store < 9; ++store) source.AddHealthyStore(std::to_string(store));
  const auto reaches = [&](bool lag) {
    source.asked.clear();
    EvaluateMeasured(kSampleTable, source, kMemoryT, 0, {.alerts_lag = lag});
    const std::string promql = SamplesQuestion(kErrorRatioSeries, kMemoryT,
                                               WindowMs(kSampleTable, 0) + (lag ? LagMs(kSampleTable) : 0))
                                   .promql;
    return std::ranges::count(source.asked, promql) == 1;
  };
  CHECK(reaches(false));
  CHECK(reaches(true));
}

TEST_CASE("where alerts lag, a decision rests on no older samples than elsewhere") {
  MemorySource source;
  for (int store = 0; store < 9; ++store) source.AddHealthyStore(std::to_string(store));
  auto& samples = source.recorded[std::string(kErrorRatioSeries)]["0"];
  std::erase_if(samples,
                [](const Sample& sample) { return sample.time_ms >= kMemoryT - WindowMs(kSampleTable, 0); });
  for (const bool lag : {false, true}) {
    const Evaluation evaluation = EvaluateMeasured(kSampleTable, source, kMemoryT, 0, {.alerts_lag = lag});
    CHECK(evaluation.stores[0].findings[outgrown::test::kWriteErrors].cause == engine::Cause::kAbsent);
    CHECK(evaluation.stores[0].samples.signals[0].samples.empty());
  }
}

TEST_CASE("alerts that lag are not compared while a store's series are younger than the lag") {
  MemorySource source;
  source.AddHealthyStore("a");
  source.SetValue("a", std::string(kErrorRatioSeries), 0.02, 20);
  auto& samples = source.recorded[std::string(kErrorRatioSeries)]["a"];
  samples.erase(samples.begin(), samples.end() - 12);
  const Evaluation evaluation = EvaluateMeasured(kSampleTable, source, kMemoryT, 0, {.alerts_lag = true});
  CHECK(AgreementOf(evaluation, outgrown::test::kWriteErrors) == Agreement::kNotCompared);
  CHECK(evaluation.fleet.warnings.size() == 1);
  CHECK(AgreementOf(EvaluateMeasured(kSampleTable, source, kMemoryT), outgrown::test::kWriteErrors) ==
        Agreement::kDrift);
}

TEST_CASE("a pending alert is no drift where nobody says when Prometheus started, and a warning tells") {
  MemorySource source;
  for (const std::string store : {"a", "b"}) {
    source.AddHealthyStore(store);
    source.SetValue(store, std::string(kErrorRatioSeries), 0.02, 11);
    source.alerts[{store, "CheckpointWriteErrors"}] = "pending";
  }
  const Evaluation evaluation = EvaluateMeasured(kSampleTable, source, kMemoryT);
  CHECK(evaluation.fleet.warnings ==
        std::vector<std::string>{
            "the alert CheckpointWriteErrors is pending where its threshold is breached, and not "
            "compared: the server doesn't say whether Prometheus has just started"});
  source.start_ms = kMemoryT - 1000;
  CHECK(EvaluateMeasured(kSampleTable, source, kMemoryT).fleet.warnings.empty());
}

TEST_CASE("alerts that can't be read are reported and are no drift") {
  MemorySource source;
  source.AddHealthyStore("a");
  EvaluateMeasured(kSampleTable, source, kMemoryT);
  source.failing[source.asked.back()] = "timeout";
  const Evaluation evaluation = EvaluateMeasured(kSampleTable, source, kMemoryT);
  CHECK_FALSE(evaluation.alerts_compared);
  CHECK(evaluation.stores[0].alerts.empty());
  CHECK(evaluation.fleet.warnings.size() == 1);
}
