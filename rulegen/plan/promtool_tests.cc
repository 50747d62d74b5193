#include "rulegen/plan/promtool_tests.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "common/check.h"
#include "common/number.h"
#include "rulegen/plan/example_store.h"
#include "rulegen/plan/measurement.h"
#include "rulegen/plan/recorded_tests.h"
#include "rulegen/plan/template.h"
#include "rulegen/spec/names.h"

namespace outgrown::plan {
namespace {

// Between the samples of the measurement alerts' cases, which are written for it (measurement.cc).
constexpr Milliseconds kMeasurementInterval = std::chrono::seconds(15);

std::string Repeat(double value, std::size_t more) { return ExactNumber(value) + "x" + std::to_string(more); }

// The nearest value on that side of the limit. Zero's neighbours would need 324 digits.
double Neighbour(double limit, bool above) {
  if (limit == 0) return above ? 1 : -1;
  const double infinity = std::numeric_limits<double>::infinity();
  return std::nextafter(limit, above ? infinity : -infinity);
}

ExpectedAlert Expect(const AlertRule& rule, std::vector<Pair> store, double value) {
  ExpectedAlert expected;
  expected.labels = std::move(store);
  expected.labels.insert(expected.labels.end(), rule.labels.begin(), rule.labels.end());
  for (const Annotation& annotation : rule.annotations) {
    expected.annotations.push_back({annotation.name, Render(annotation.text, expected.labels, value)});
  }
  return expected;
}

// One test for each alert on a threshold: five stores at once, told apart by what happens to them.
PromtoolTest ThresholdTest(const spec::Spec& spec, const spec::Threshold& threshold, const AlertRule& rule) {
  const Milliseconds interval = spec.rules.interval;
  const bool above = threshold.direction == Direction::kAbove;
  const double beyond = Neighbour(threshold.limit, above);
  // Evaluations from the first breach until the alert fires.
  const auto wait = static_cast<std::size_t>((threshold.hold + interval - Milliseconds(1)) / interval);
  const std::string series = spec::RecordedSeries(spec.store, threshold.signal);
  const std::size_t more = wait + 2;

  PromtoolTest test;
  test.name = rule.alert + " fires beyond its limit, and not at it, short of it, too briefly or without data";
  test.interval = interval;
  const auto add = [&](std::string_view store, std::string notation) {
    test.series.emplace_back(Selector(series, StoreNamed(spec, store)), std::move(notation));
  };
  add("beyond", Repeat(beyond, more));
  add("at-limit", Repeat(threshold.limit, more));
  add("short-of-limit", Repeat(Neighbour(threshold.limit, !above), more));
  if (wait > 0) add("one-interval-short", Repeat(beyond, wait - 1) + " " + Repeat(threshold.limit, 2));
  add("absent", "_x" + std::to_string(more + 1));

  if (wait > 0) test.alerts.push_back({rule.alert, interval * (wait - 1), {}});
  const std::vector<ExpectedAlert> expected = {Expect(rule, StoreNamed(spec, "beyond"), beyond)};
  test.alerts.push_back({rule.alert, interval * wait, expected});
  test.alerts.push_back({rule.alert, interval * (wait + 1), expected});
  return test;
}

std::vector<Pair> Keep(const std::vector<Pair>& store, const std::vector<std::string>& labels) {
  std::vector<Pair> kept;
  for (const std::string& label : labels) {
    const auto found = std::ranges::find(store, label, &Pair::name);
    kept.push_back(found != store.end() ? *found : Pair{label, label + "-a"});
  }
  return kept;
}

void AddMeasurementTests(const spec::Spec& spec, const MeasurementAlert& planned, const AlertRule& rule,
                         std::vector<PromtoolTest>& tests) {
  for (const MeasurementCase& planned_case : planned.cases) {
    PromtoolTest test;
    test.name = rule.alert + ": " + planned_case.name;
    test.interval = kMeasurementInterval;
    test.series = planned_case.series;
    AlertCheck check{rule.alert, planned_case.at, {}};
    if (planned_case.fires) {
      check.expected.push_back(Expect(rule, Keep(ExampleStore(spec), planned.labels), planned_case.value));
    }
    test.alerts.push_back(std::move(check));
    tests.push_back(std::move(test));
  }
}

}  // namespace

PromtoolFile PlanTests(const spec::Spec& spec, const RuleFile& rules) {
  PromtoolFile file;
  file.rule_file = spec.store.name + ".rules.yml";
  file.evaluation_interval = spec.rules.interval;
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
    AddMeasurementTests(spec, planned, rule_of(planned.id), file.tests);
  }
  return file;
}

std::vector<std::string> Untested(const RuleFile& rules, const PromtoolFile& tests) {
  std::unordered_set<std::string_view> fires;
  std::unordered_set<std::string_view> checked;
  std::unordered_set<std::string_view> series;
  for (const PromtoolTest& test : tests.tests) {
    for (const AlertCheck& check : test.alerts) {
      checked.insert(check.alert);
      if (!check.expected.empty()) fires.insert(check.alert);
    }
    for (const SampleCheck& check : test.samples) {
      if (!check.expected.empty()) series.insert(check.record);
    }
  }
  std::vector<std::string> untested;
  for (const RuleGroup& group : rules.groups) {
    for (const Rule& rule : group.rules) {
      if (const auto* alert = std::get_if<AlertRule>(&rule)) {
        if (!fires.contains(alert->alert)) untested.push_back("no test expects " + alert->alert + " to fire");
        checked.erase(alert->alert);
      } else if (const std::string& record = std::get<RecordingRule>(rule).record; !series.contains(record)) {
        untested.push_back("no test expects a value of " + record);
      }
    }
  }
  std::vector<std::string> unknown(checked.begin(), checked.end());
  std::ranges::sort(unknown);
  for (const std::string& alert : unknown)
    untested.push_back("a test checks " + alert + ", which no rule has");
  return untested;
}

}  // namespace outgrown::plan
