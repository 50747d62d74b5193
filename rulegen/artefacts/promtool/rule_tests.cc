#include "rulegen/artefacts/promtool/rule_tests.h"

#include <algorithm>
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
#include "common/text.h"
#include "common/time_text.h"
#include "rulegen/artefacts/annotation.h"
#include "rulegen/artefacts/promtool/recorded_tests.h"
#include "rulegen/artefacts/promtool/test_stores.h"
#include "thresholds/names.h"

namespace outgrown::artefacts {
namespace {

// The alert that a store with these labels gives while it fires.
// promtool expects the labels without the alert's name, and the annotations as they are once expanded.
ExpectedAlert Expect(const AlertRule& rule, std::vector<Pair> labels, double value) {
  ExpectedAlert expected{std::move(labels), {}};
  expected.labels.insert(expected.labels.end(), rule.labels.begin(), rule.labels.end());
  for (const Annotation& annotation : rule.annotations)
    expected.annotations.push_back({annotation.name, Render(annotation.text, expected.labels, value)});
  return expected;
}

// How many evaluations it takes until that time has passed.
// Prometheus counts `for` from the evaluation at which the condition was first true, in whole evaluations;
// rounded up.
std::size_t Evaluations(const spec::Spec& spec, Milliseconds time) {
  const Milliseconds interval = spec.rules.interval;
  return static_cast<std::size_t>((time + interval - Milliseconds(1)) / interval);
}

// The nearest value on that side of the limit; 1 from 0, whose neighbours would need 324 digits.
// The nearest values find a rule that compares with >=, or whose limit was printed with too few digits.
double Neighbour(double limit, bool above) {
  if (limit == 0) return above ? 1 : -1;
  const double infinity = std::numeric_limits<double>::infinity();
  return std::nextafter(limit, above ? infinity : -infinity);
}

// A run of one value: itself and `more`. promtool's notation has no repetition for Inf.
std::string Repeat(double value, std::size_t more) {
  if (std::isfinite(value)) return ExactNumber(value) + "x" + std::to_string(more);
  std::string words;
  for (std::size_t i = 0; i <= more; ++i)
    words += (i == 0 ? "" : " ") + std::string(value > 0 ? "Inf" : "-Inf");
  return words;
}

// One store for each situation, named by it, with one sample an evaluation.
PromtoolTest ThresholdTest(const spec::Spec& spec, const spec::Threshold& threshold, const AlertRule& rule) {
  const bool above = threshold.direction == Direction::kAbove;
  const double beyond = Neighbour(threshold.limit, above);
  const double infinity = std::numeric_limits<double>::infinity();
  const std::size_t fires_at = Evaluations(spec, rule.hold);
  const std::size_t keep = Evaluations(spec, rule.keep_firing_for.value_or(Milliseconds(0)));
  const std::size_t end = fires_at + keep + 1;
  const std::string recorded = spec::RecordedSeries(spec.store, threshold.signal);
  PromtoolTest test;
  test.interval = spec.rules.interval;
  std::string quiet;
  const auto add = [&](std::string_view what, const std::string& notation) {
    test.series.emplace_back(Selector(recorded, StoreNamed(spec, what)), notation);
    quiet += (quiet.empty() ? "" : ", ") + std::string(what);
  };
  // All situations are stores of one test, since promtool makes a storage for each test, and since a rule
  // that mixed stores up would be found as well.
  add("beyond", Repeat(beyond, end));
  add(kEnded, Repeat(beyond, fires_at) + " " + Repeat(threshold.limit, end - fires_at - 1));
  quiet.clear();
  add(kAtLimit, Repeat(threshold.limit, end));
  add("short-of-limit", Repeat(Neighbour(threshold.limit, !above), end));
  add(kNotFinite, Repeat(above ? infinity : -infinity, end));
  if (fires_at > 0) {
    add(kOneIntervalShort, Repeat(beyond, fires_at - 1) + " " + Repeat(threshold.limit, end - fires_at));
  }
  test.name = rule.alert + " fires for beyond, " + std::string(kEnded) + ", not for " + quiet;

  const auto check = [&](std::size_t evaluation, const std::vector<std::string_view>& stores) {
    AlertCheck made{rule.alert, spec.rules.interval * evaluation, {}};
    for (const std::string_view store : stores)
      made.expected.push_back(Expect(rule, StoreNamed(spec, store), beyond));
    test.alerts.push_back(std::move(made));
  };
  // The evaluations just before and after each change of state: a rule that is off by one fails.
  // keep_firing_for begins at the first evaluation without the condition, which is fires_at + 1 for the store
  // that ended; so it still fires at fires_at + keep, and no longer at fires_at + keep + 1, the end.
  if (fires_at > 0) check(fires_at - 1, {});
  check(fires_at, {"beyond", kEnded});
  if (keep > 0) check(fires_at + keep, {"beyond", kEnded});
  check(end, {"beyond"});
  return test;
}

// A case of an alert, as its author wrote it. An alert can't fire before its `for` has passed, so that is checked too.
PromtoolTest WatchTest(const spec::Spec& spec, const spec::Watch& watch, const spec::SignalTest& from,
                       const AlertRule& rule) {
  PromtoolTest test = CaseTest(spec, rule.alert, from);
  AlertCheck check{rule.alert, from.at, {}};
  if (from.fires) {
    const Milliseconds interval = from.interval.value_or(spec.rules.interval);
    // The last evaluation at which `for` cannot have passed yet, if the condition is true from the first
    // sample on.
    const Milliseconds before = (watch.hold - Milliseconds(1)) / interval * interval;
    if (watch.hold > Milliseconds(0) && before < from.at) test.alerts.push_back({rule.alert, before, {}});
    for (std::vector<Pair>& store : StoresOfCase(spec, watch.labels, from))
      check.expected.push_back(Expect(rule, std::move(store), 1));
  }
  test.alerts.push_back(std::move(check));
  return test;
}

// Each alert one evaluation after its `for` has passed, without a single series.
// absent(), "== 0" and "unless" are true or empty where nothing is measured; a Prometheus that is new or that
// watches something else must not raise alerts.
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

class Planner {
 public:
  Planner(const spec::Spec& spec, const RuleFile& rules) : spec_(spec), rules_(rules), counters_(spec) {
    for (const RuleGroup& group : rules.groups) {
      for (const Rule& rule : group.rules) {
        if (const auto* alert = std::get_if<AlertRule>(&rule)) alerts_.emplace(alert->alert, alert);
        const auto* recording = std::get_if<RecordingRule>(&rule);
        if (recording != nullptr && recording->expr.find(spec.store.name + ":") != std::string::npos)
          reading_rules_.insert(recording->record);
      }
    }
    for (const spec::Signal& signal : spec.signals) {
      for (const spec::SignalTest& from : signal.tests) once_at_ = std::max(once_at_, from.at);
    }
  }

  std::vector<PromtoolFile> Plan() {
    PromtoolFile& usual = FileOf(spec_.rules.interval);
    usual.notes.emplace_back(
        "Every recorded series is tested for its arithmetic and for stores kept apart. Besides:");
    for (const spec::Signal& signal : spec_.signals) {
      AddRecorded({spec::RecordedSeries(spec_.store, signal.id),
                   signal.split.empty() ? "" : spec::SplitSeries(spec_.store, signal.id), signal.tests});
    }
    if (spec_.coverage) {
      AddRecorded({spec::CoverageSeries(spec_.store),
                   spec_.coverage->reason.empty() ? "" : spec::ReasonSeries(spec_.store),
                   spec_.coverage->tests});
    }
    for (const spec::Threshold& threshold : spec_.thresholds)
      // In the order of the spec, so that a diff of the tests follows a diff of the spec.
      FileOf(spec_.rules.interval).tests.push_back(ThresholdTest(spec_, threshold, RuleOf(threshold.id)));
    for (const spec::Watch& watch : spec_.watches) AddWatch(watch);
    FileOf(spec_.rules.interval).tests.push_back(AbsentTest(spec_, rules_));
    return std::move(files_);
  }

 private:
  // promtool has one evaluation_interval a file, hence a file for each. The reference holds until the next
  // call, which may move the files.
  PromtoolFile& FileOf(Milliseconds interval) {
    for (PromtoolFile& file : files_) {
      if (file.evaluation_interval == interval) return file;
    }
    PromtoolFile& file = files_.emplace_back();
    file.rule_file = spec_.store.name + ".rules.yml";
    file.evaluation_interval = interval;
    file.groups = GroupNames(rules_);
    if (files_.size() > 1) {
      file.notes.push_back("Tests for which an evaluation every " + FormatDuration(interval) + " is enough.");
    }
    return file;
  }

  void AddRecorded(const Recorded& recorded) {
    std::vector<std::string> notes;
    for (PromtoolTest& test : RecordedTests(spec_, recorded, counters_, notes)) {
      const bool once = test.samples.front().at == once_at_ && !reading_rules_.contains(recorded.series) &&
                        !reading_rules_.contains(recorded.by_reason);
      FileOf(once ? once_at_ : spec_.rules.interval).tests.push_back(std::move(test));
    }
    std::vector<std::string>& all = FileOf(spec_.rules.interval).notes;
    all.insert(all.end(), notes.begin(), notes.end());
  }

  const AlertRule& RuleOf(std::string_view id) const {
    const auto found = alerts_.find(spec::AlertName(spec_.store, id));
    OUTGROWN_CHECK(found != alerts_.end());
    return *found->second;
  }

  void AddWatch(const spec::Watch& watch) {
    for (const spec::SignalTest& from : watch.tests) {
      PromtoolFile& file = FileOf(from.interval.value_or(spec_.rules.interval));
      if (watch.is_alert()) {
        file.tests.push_back(WatchTest(spec_, watch, from, RuleOf(watch.id)));
      } else {
        file.tests.push_back(MemoryTest(spec_, watch, from));
      }
    }
    if (watch.is_alert()) return;
    FileOf(spec_.rules.interval)
        .notes.push_back(spec::RecordedSeries(spec_.store, watch.record) +
                         ": it has no rate, so idle and counter reset are not tested");
  }

  const spec::Spec& spec_;
  const RuleFile& rules_;
  const Counters counters_;
  std::unordered_map<std::string_view, const AlertRule*> alerts_;
  // Recorded series of this file that are made of others, and may need those of earlier evaluations.
  std::unordered_set<std::string_view> reading_rules_;
  // The longest `at` of signals' cases. promtool evaluates every rule at every evaluation, which is nearly all of its
  // work; a rule that reads no other needs but the one at the case's instant.
  Milliseconds once_at_{0};
  std::vector<PromtoolFile> files_;
};

}  // namespace

std::vector<PromtoolFile> PlanTests(const spec::Spec& spec, const RuleFile& rules) {
  return Planner(spec, rules).Plan();
}

}  // namespace outgrown::artefacts
