// Alerts that keep_firing_for holds after their condition has ended.
#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "decision/alerts.h"
#include "decision/evaluation.h"
#include "test/decision/agreement.h"
#include "test/decision/engine/sample_table.h"
#include "test/decision/memory_source.h"

using namespace outgrown;            // NOLINT(google-build-using-namespace): a test
using namespace outgrown::decision;  // NOLINT(google-build-using-namespace)
using outgrown::test::AgreementOf;
using outgrown::test::kErrorRatioSeries;
using outgrown::test::kMemoryT;
using outgrown::test::kSampleTable;
using outgrown::test::MemorySource;

TEST_CASE("an alert held by keep_firing_for is a note for as long as Prometheus holds it") {
  // Evaluations after the breach at which the condition was false, then true again; 15 minutes are 30 evaluations.
  struct Case {
    int untrue;
    int true_again;
    Agreement agreement;
  };
  const std::vector<Case> cases = {
      {1, 0, Agreement::kFiringHeld}, {30, 0, Agreement::kFiringHeld},  {31, 0, Agreement::kDrift},
      {1, 5, Agreement::kFiringHeld}, {30, 10, Agreement::kFiringHeld}, {31, 5, Agreement::kDrift},
  };
  for (const Case& example : cases) {
    CAPTURE(example.untrue);
    CAPTURE(example.true_again);
    MemorySource source;
    source.AddHealthyStore("a");
    source.SetValue("a", std::string(kErrorRatioSeries), 0.02, example.true_again + example.untrue + 20);
    source.SetValue("a", std::string(kErrorRatioSeries), 0.001, example.true_again + example.untrue);
    if (example.true_again > 0)
      source.SetValue("a", std::string(kErrorRatioSeries), 0.02, example.true_again);
    source.alerts[{"a", "CheckpointWriteErrors"}] = "firing";
    CHECK(AgreementOf(EvaluateMeasured(kSampleTable, source, kMemoryT), outgrown::test::kWriteErrors) ==
          example.agreement);
  }
}

TEST_CASE("whether an alert is held is known only from an answer that is whole and of the same evaluation") {
  const std::string query = "checkpoint:write_error_ratio[29m]";
  const auto breach = [](prometheus_api::Series& series) {  // as if the condition had held until just now
    for (std::size_t index = 0; index + 2 < series.samples.size(); ++index)
      series.samples[index].value = 0.02;
  };
  struct Case {
    std::string_view what;
    std::function<void(prometheus_api::Answer&)> change;
    Agreement agreement;
  };
  const std::vector<Case> cases = {
      {"a whole answer without a breach", [](auto&) {}, Agreement::kDrift},
      {"a whole answer with one", [&](auto& answer) { breach(answer.series[0]); }, Agreement::kFiringHeld},
      {"partial",
       [&](auto& answer) {
         breach(answer.series[0]);
         answer.partial = true;
       },
       Agreement::kNotCompared},
      {"partial, without a breach", [](auto& answer) { answer.partial = true; }, Agreement::kNotCompared},
      {"another series",
       [&](auto& answer) {
         breach(answer.series[0]);
         answer.series[0].labels[0].second = "up";
       },
       Agreement::kNotCompared},
      {"samples of two hours ago",
       [&](auto& answer) {
         breach(answer.series[0]);
         for (auto& sample : answer.series[0].samples) sample.time_ms -= 7'200'000;
       },
       Agreement::kNotCompared},
      {"the newest sample is an older one",
       [&](auto& answer) {
         breach(answer.series[0]);
         answer.series[0].samples.pop_back();
       },
       Agreement::kNotCompared},
      {"the newest sample has another value",
       [&](auto& answer) {
         breach(answer.series[0]);
         answer.series[0].samples.back().value = 0.009;
       },
       Agreement::kNotCompared},
      {"two series for the store, the second with a breach",
       [&](auto& answer) {
         answer.series.push_back(answer.series[0]);
         breach(answer.series[1]);
       },
       Agreement::kNotCompared},
      {"the store is not in it", [](auto& answer) { answer.series.clear(); }, Agreement::kNotCompared},
      {"too short to tell",
       [](auto& answer) {
         auto& samples = answer.series[0].samples;
         samples.erase(samples.begin(), samples.end() - 20);
       },
       Agreement::kNotCompared},
      {"with a gap in which there may have been a breach",
       [](auto& answer) {
         auto& samples = answer.series[0].samples;
         samples.erase(samples.end() - 25, samples.end() - 12);
       },
       Agreement::kNotCompared},
      {"one sample of a healthy store missing",
       [](auto& answer) {
         auto& samples = answer.series[0].samples;
         samples.erase(samples.end() - 12);
       },
       Agreement::kDrift},
      {"with one sample of a burst missing",
       [&](auto& answer) {
         breach(answer.series[0]);
         auto& samples = answer.series[0].samples;
         samples.erase(samples.begin(), samples.end() - 13);
         samples.erase(samples.begin() + 4);
       },
       Agreement::kNotCompared},
  };
  for (const Case& example : cases) {
    CAPTURE(example.what);
    MemorySource source;
    source.AddHealthyStore("a");
    source.alerts[{"a", "CheckpointWriteErrors"}] = "firing";
    source.changing[query] = example.change;
    const Evaluation evaluation = EvaluateMeasured(kSampleTable, source, kMemoryT);
    CHECK(std::ranges::find(source.asked, query) != source.asked.end());
    CHECK(AgreementOf(evaluation, outgrown::test::kWriteErrors) == example.agreement);
    CHECK(evaluation.fleet.warnings.empty() == (example.agreement != Agreement::kNotCompared));
  }
  MemorySource source;
  source.AddHealthyStore("a");
  source.alerts[{"a", "CheckpointWriteErrors"}] = "firing";
  source.failing[query] = "no complete answer within 2s";
  const Evaluation evaluation = EvaluateMeasured(kSampleTable, source, kMemoryT);
  CHECK(AgreementOf(evaluation, outgrown::test::kWriteErrors) == Agreement::kNotCompared);
  CHECK(evaluation.fleet.warnings.size() == 1);
}
