#include "rulegen/artefacts/rule_tests.h"

#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "common/check.h"
#include "common/duration.h"
#include "common/number.h"
#include "rulegen/artefacts/annotation.h"
#include "rulegen/artefacts/measurement.h"
#include "rulegen/artefacts/measurement_tests.h"
#include "rulegen/artefacts/node.h"
#include "rulegen/artefacts/presence.h"
#include "rulegen/artefacts/recorded_tests.h"
#include "rulegen/artefacts/test_stores.h"
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

ExpectedAlert Expect(const AlertRule& rule, const TestStore& store) {
  ExpectedAlert expected;
  expected.labels = store.labels;
  expected.labels.insert(expected.labels.end(), rule.labels.begin(), rule.labels.end());
  for (const Annotation& annotation : rule.annotations) {
    expected.annotations.push_back({annotation.name, Render(annotation.text, expected.labels, store.value)});
  }
  return expected;
}

std::size_t Evaluations(const spec::Spec& spec, Milliseconds time) {
  const Milliseconds interval = spec.rules.interval;
  return static_cast<std::size_t>((time + interval - Milliseconds(1)) / interval);
}

double Neighbour(double limit, bool above) {
  if (limit == 0) return above ? 1 : -1;
  const double infinity = std::numeric_limits<double>::infinity();
  return std::nextafter(limit, above ? infinity : -infinity);
}

std::string Repeat(double value, std::size_t more) { return ExactNumber(value) + "x" + std::to_string(more); }

AlertTest::AlertTest(const spec::Spec& spec, const AlertRule& rule, std::size_t start)
    : spec_(spec),
      rule_(rule),
      start_(start),
      wait_(Evaluations(spec, rule.hold)),
      keep_(Evaluations(spec, rule.keep_firing_for.value_or(Milliseconds(0)))) {}

std::string AlertTest::Always(double value) const { return Repeat(value, End()); }

std::string AlertTest::Rising(double value, double step) const {
  return ExactNumber(value) + "+" + Repeat(step, End());
}

std::string AlertTest::TooBriefly(double bad, double good) const {
  return Repeat(bad, FiresAt() - 1) + " " + Repeat(good, End() - FiresAt());
}

std::string AlertTest::FiresOnce(double bad, double good) const {
  return Repeat(bad, FiresAt()) + " " + Repeat(good, End() - FiresAt() - 1);
}

AlertCheck AlertTest::CheckAt(std::size_t evaluation, bool ended) const {
  AlertCheck check{rule_.alert, spec_.rules.interval * evaluation, {}};
  for (const TestStore& store : stores_) {
    if (store.course == TestStore::Course::kStaysQuiet) continue;
    if (ended && store.course == TestStore::Course::kFiresAndEnds) continue;
    check.expected.push_back(Expect(rule_, store));
  }
  return check;
}

PromtoolTest AlertTest::Make() const {
  PromtoolTest test;
  test.interval = spec_.rules.interval;
  std::string fires;
  std::string quiet;
  for (const TestStore& store : stores_) {
    std::string& names = store.course == TestStore::Course::kStaysQuiet ? quiet : fires;
    names += (names.empty() ? "" : ", ") + store.what;
    test.series.insert(test.series.end(), store.series.begin(), store.series.end());
  }
  test.name = rule_.alert + " fires for " + fires + ", not for " + quiet;
  if (Waits()) test.alerts.push_back({rule_.alert, spec_.rules.interval * (FiresAt() - 1), {}});
  test.alerts.push_back(CheckAt(FiresAt(), false));
  if (keep_ > 0) test.alerts.push_back(CheckAt(FiresAt() + keep_, false));
  test.alerts.push_back(CheckAt(End(), true));
  return test;
}

}  // namespace outgrown::plan

namespace outgrown::emit {

namespace {

Node Pairs(const std::vector<plan::Pair>& pairs) {
  Node::Map entries;
  for (const plan::Pair& pair : pairs) entries.emplace_back(pair.name, Node::String(pair.value));
  return Node::Of(std::move(entries));
}

Node AlertNode(const plan::AlertCheck& check) {
  Node::List expected;
  for (const plan::ExpectedAlert& alert : check.expected) {
    expected.push_back(Node::Of(
        Node::Map{{"exp_labels", Pairs(alert.labels)}, {"exp_annotations", Pairs(alert.annotations)}}));
  }
  return Node::Of(Node::Map{{"eval_time", Node::Duration(check.at)},
                            {"alertname", Node::String(check.alert)},
                            {"exp_alerts", Node::Of(std::move(expected))}});
}

Node SampleNode(const plan::SampleCheck& check) {
  Node::List expected;
  for (const plan::ExpectedSample& sample : check.expected) {
    expected.push_back(
        Node::Of(Node::Map{{"labels", Node::String(sample.labels)}, {"value", Node::Number(sample.value)}}));
  }
  return Node::Of(Node::Map{{"expr", Node::String(check.expr)},
                            {"eval_time", Node::Duration(check.at)},
                            {"exp_samples", Node::Of(std::move(expected))}});
}

Node TestNode(const plan::PromtoolTest& test) {
  Node::List series;
  for (const auto& [selector, notation] : test.series) {
    series.push_back(
        Node::Of(Node::Map{{"series", Node::String(selector)}, {"values", Node::String(notation)}}));
  }
  Node::Map entries = {{"name", Node::String(test.name)},
                       {"interval", Node::Duration(test.interval)},
                       {"input_series", Node::Of(std::move(series))}};
  Node::List alerts;
  for (const plan::AlertCheck& check : test.alerts) alerts.push_back(AlertNode(check));
  if (!alerts.empty()) entries.emplace_back("alert_rule_test", Node::Of(std::move(alerts)));
  Node::List samples;
  for (const plan::SampleCheck& check : test.samples) samples.push_back(SampleNode(check));
  if (!samples.empty()) entries.emplace_back("promql_expr_test", Node::Of(std::move(samples)));
  return Node::Of(std::move(entries));
}

}  // namespace

std::string PromtoolYaml(const spec::Spec& spec, const plan::PromtoolFile& tests) {
  Node::List items;
  for (const plan::PromtoolTest& test : tests.tests) items.push_back(TestNode(test));
  std::string head = "# " + GeneratedMark(spec) + "\n";
  for (const std::string& note : tests.notes) head += "# " + note + "\n";
  return head + ToYaml(Node::Of(Node::Map{{"rule_files", Node::Strings({tests.rule_file})},
                                          {"evaluation_interval", Node::Duration(tests.evaluation_interval)},
                                          {"group_eval_order", Node::Strings(tests.groups)},
                                          {"tests", Node::Of(std::move(items))}}));
}

}  // namespace outgrown::emit
