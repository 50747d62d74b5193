#include "rulegen/artefacts/day_tests.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/check.h"
#include "rulegen/artefacts/measurement.h"
#include "rulegen/artefacts/overdue_tests.h"
#include "rulegen/artefacts/rule_tests.h"
#include "rulegen/artefacts/test_stores.h"
#include "thresholds/names.h"

namespace outgrown::plan {
namespace {

const AlertRule& FindAlert(const RuleFile& rules, std::string_view name) {
  for (const RuleGroup& group : rules.groups) {
    for (const Rule& rule : group.rules) {
      const auto* alert = std::get_if<AlertRule>(&rule);
      if (alert != nullptr && alert->alert == name) return *alert;
    }
  }
  OUTGROWN_CHECK(false);
}

// The store of a target whose `up` is that is seen for an hour and then no more. The alert fires for as long as it is
// remembered, and ends by itself.
PromtoolTest MemoryTest(const spec::Spec& spec, const AlertRule& rule, double up) {
  constexpr std::size_t kLastSeen = 2;
  // To the sample itself Prometheus 2 remembers, Prometheus 3 does not: one evaluation to each side of it.
  constexpr std::size_t kForgotten = kLastSeen + kDecisionOverdue / kDayStep;
  constexpr std::size_t kEnd = kForgotten + 1;
  std::vector<Pair> store = ExampleStore(spec);
  for (Pair& label : store) {
    if (label.name == "instance") label.value = "gone";
  }
  PromtoolTest test;
  test.name = rule.alert + " remembers a store for a day, and no longer";
  test.interval = kDayStep;
  test.series = {{Selector("up", TargetNamed("gone")), Repeat(up, kEnd)},
                 {Selector(spec.store.present, store), Repeat(1, kLastSeen) + " stale"}};
  const std::vector<ExpectedAlert> fires = {Expect(rule, {"gone", TestStore::Course::kFires, store, {}, 1})};
  test.alerts = {{rule.alert, kDayStep * (kForgotten - 1), fires}, {rule.alert, kDayStep * kEnd, {}}};
  return test;
}

}  // namespace

PromtoolFile PlanDayTests(const spec::Spec& spec, const RuleFile& rules) {
  PromtoolFile file;
  file.rule_file = spec.store.name + ".rules.yml";
  file.evaluation_interval = kDayStep;
  file.groups = GroupNames(rules);
  file.notes.push_back("This file's tests last for more than a day, so they are evaluated every " +
                       FormatDuration(kDayStep) + ".");
  for (const MeasurementAlert& planned : PlanMeasurement(spec)) {
    const AlertRule& rule = FindAlert(rules, spec::AlertName(spec.store, planned.id));
    if (planned.id == "ExporterDown") file.tests.push_back(MemoryTest(spec, rule, 0));
    if (planned.id == "StoreSilent") file.tests.push_back(MemoryTest(spec, rule, 1));
    if (planned.id != kDecisionOverdueId) continue;
    for (PromtoolTest& test : OverdueTests(spec, rule)) file.tests.push_back(std::move(test));
  }
  return file;
}

}  // namespace outgrown::plan
