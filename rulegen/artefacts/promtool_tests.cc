#include "rulegen/artefacts/promtool_tests.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "common/check.h"
#include "rulegen/artefacts/alert_test.h"
#include "rulegen/artefacts/example_store.h"
#include "rulegen/artefacts/measurement.h"
#include "rulegen/artefacts/measurement_tests.h"
#include "rulegen/artefacts/presence.h"
#include "rulegen/artefacts/recorded_tests.h"
#include "thresholds/names.h"

namespace outgrown::plan {
namespace {

PromtoolTest ThresholdTest(const spec::Spec& spec, const spec::Threshold& threshold, const AlertRule& rule) {
  using Course = TestStore::Course;
  const bool above = threshold.direction == Direction::kAbove;
  const double beyond = Neighbour(threshold.limit, above);
  const std::string series = spec::RecordedSeries(spec.store, threshold.signal);
  AlertTest test(spec, rule, 0);
  const auto add = [&](std::string_view what, Course course, std::string notation) {
    std::vector<Pair> store = StoreNamed(spec, what);
    TestStore added{std::string(what), course, store, {{Selector(series, store), std::move(notation)}}};
    if (course != Course::kStaysQuiet) added.value = beyond;
    test.Add(std::move(added));
  };
  add("beyond", Course::kFires, test.Always(beyond));
  add(kEnded, Course::kFiresAndEnds, test.FiresOnce(beyond, threshold.limit));
  add(kAtLimit, Course::kStaysQuiet, test.Always(threshold.limit));
  add("short-of-limit", Course::kStaysQuiet, test.Always(Neighbour(threshold.limit, !above)));
  if (test.Waits()) add(kOneIntervalShort, Course::kStaysQuiet, test.TooBriefly(beyond, threshold.limit));
  return test.Make();
}

// Each alert one evaluation after its `for` has passed, without a single series.
PromtoolTest AbsentTest(const spec::Spec& spec, const RuleFile& rules) {
  PromtoolTest test;
  test.name = "no alert fires without any series";
  test.interval = spec.rules.interval;
  for (const RuleGroup& group : rules.groups) {
    for (const Rule& rule : group.rules) {
      const auto* alert = std::get_if<AlertRule>(&rule);
      if (alert == nullptr) continue;
      const std::size_t evaluation = Evaluations(spec, alert->hold) + 1;
      test.alerts.push_back({alert->alert, spec.rules.interval * evaluation, {}});
    }
  }
  return test;
}

}  // namespace

PromtoolFile PlanTests(const spec::Spec& spec, const RuleFile& rules) {
  PromtoolFile file;
  file.rule_file = spec.store.name + ".rules.yml";
  file.evaluation_interval = spec.rules.interval;
  file.groups = GroupNames(rules);
  std::unordered_map<std::string_view, const AlertRule*> alerts;
  for (const RuleGroup& group : rules.groups) {
    for (const Rule& rule : group.rules) {
      if (const auto* alert = std::get_if<AlertRule>(&rule)) alerts.emplace(alert->alert, alert);
    }
  }
  const auto rule_of = [&](std::string_view id) -> const AlertRule& {
    const auto found = alerts.find(spec::AlertName(spec.store, id));
    OUTGROWN_CHECK(found != alerts.end());
    return *found->second;
  };

  const Counters counters(spec);
  for (const spec::Signal& signal : spec.signals) {
    AddRecordedTests(spec, {spec::RecordedSeries(spec.store, signal.id), signal.tests}, counters, file);
  }
  if (spec.coverage) {
    AddRecordedTests(spec, {spec::CoverageSeries(spec.store), spec.coverage->tests}, counters, file);
  }
  for (const spec::Threshold& threshold : spec.thresholds) {
    file.tests.push_back(ThresholdTest(spec, threshold, rule_of(threshold.id)));
  }
  for (const MeasurementAlert& planned : PlanMeasurement(spec)) {
    if (planned.id != kDecisionOverdueId)
      file.tests.push_back(MeasurementTest(spec, planned, rule_of(planned.id)));
  }
  file.tests.push_back(PresenceTest(spec));
  for (const RecordingRule& rule : PlanPresence(spec))
    file.notes.push_back(rule.record +
                         ": no rate is in it, so there is no idle and no counter reset to test");
  file.tests.push_back(AbsentTest(spec, rules));
  file.notes.insert(file.notes.begin(),
                    "Every recorded series is tested for its arithmetic and for stores kept apart. Besides:");
  return file;
}

}  // namespace outgrown::plan
