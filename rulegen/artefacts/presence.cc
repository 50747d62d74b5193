#include "rulegen/artefacts/presence.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "rulegen/artefacts/rule_tests.h"
#include "rulegen/artefacts/test_stores.h"
#include "thresholds/names.h"
#include "thresholds/promql.h"

namespace outgrown::plan {
namespace {

constexpr std::string_view kDecisionTime = "checkpoint_decision_timestamp_seconds";

}  // namespace

Milliseconds PresenceInterval(const spec::Spec& spec) {
  const Milliseconds seldom = std::min<Milliseconds>(4 * spec.rules.interval, std::chrono::minutes(2));
  return std::max(spec.rules.interval, seldom);
}

std::vector<RecordingRule> PlanPresence(const spec::Spec& spec) {
  const std::string decided = spec::DecidedSeries(spec.store);
  return {
      {spec::PresentSeries(spec.store),
       CanonicalPromql("max by (" + IdentityList(spec) + ") (" + spec.store.present + ")")},
      {decided, CanonicalPromql("max by (subject) (" + std::string(kDecisionTime) + "{store=\"" +
                                spec.store.name + "\"})")},
      {spec::DecidedStoresSeries(spec.store), CanonicalPromql("count(" + decided + ")")},
  };
}

PromtoolTest PresenceTest(const spec::Spec& spec) {
  PromtoolTest test;
  test.name = "what the alerts about the measurement remember";
  test.interval = spec.rules.interval;
  const auto add = [&](std::string_view metric, std::vector<Pair> labels, double value) {
    test.series.emplace_back(Selector(metric, labels), Repeat(value, 1));
  };
  const auto check = [&](const std::string& record, std::vector<ExpectedSample> expected) {
    test.samples.push_back({record, "round(" + record + ")", spec.rules.interval, std::move(expected)});
  };

  std::vector<ExpectedSample> present;
  const auto add_store = [&](const std::vector<Pair>& store, double value) {
    add(spec.store.present, store, value);
    present.push_back({Selector("", store), value});
  };
  add_store(ExampleStore(spec), 1);
  for (const std::string& label : spec.store.identity) add_store(OtherStore(ExampleStore(spec), label), 0);
  // As a second Prometheus or a second exporter shows it: with a label that names no store.
  std::vector<Pair> replica = ExampleStore(spec);
  std::string label = "replica";
  while (std::ranges::count(spec.store.identity, label) > 0) label += "_";
  replica.push_back({label, "b"});
  add(spec.store.present, replica, 0);
  check(spec::PresentSeries(spec.store), std::move(present));

  const auto decide = [&](std::string_view store, std::string_view subject, std::string_view exporter,
                          double at) {
    add(kDecisionTime,
        {{"store", std::string(store)},
         {"subject", std::string(subject)},
         {"instance", std::string(exporter)}},
        at);
  };
  decide(spec.store.name, "a", "exporter-1", 100);
  decide(spec.store.name, "a", "exporter-2", 200);
  decide(spec.store.name, "b", "exporter-1", 300);
  decide("other_" + spec.store.name, "c", "exporter-1", 400);
  check(spec::DecidedSeries(spec.store), {{"{subject=\"a\"}", 200}, {"{subject=\"b\"}", 300}});
  check(spec::DecidedStoresSeries(spec.store), {{"{}", 2}});
  return test;
}

}  // namespace outgrown::plan
