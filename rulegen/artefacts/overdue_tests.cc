#include "rulegen/artefacts/overdue_tests.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/duration.h"
#include "common/number.h"
#include "rulegen/artefacts/day_tests.h"
#include "rulegen/artefacts/measurement.h"
#include "rulegen/artefacts/rule_tests.h"
#include "rulegen/artefacts/test_stores.h"

namespace outgrown::plan {
namespace {

// The alert's time is 52 steps. At the 54th evaluation a store of the second sample (1 h) is old enough, at the 53rd it
// isn't yet.
constexpr std::size_t kFiresAt = 54;
constexpr double kStepSeconds = std::chrono::duration<double>(kDayStep).count();

// As the exporter writes it: database=checkpoints,instance=app-1:9108,job=outgrown
std::string SubjectOf(std::vector<Pair> store) {
  std::ranges::sort(store, {}, &Pair::name);
  std::string subject;
  for (const Pair& label : store) subject += (subject.empty() ? "" : ",") + label.name + "=" + label.value;
  return subject;
}

std::string Value(double value) { return ExactNumber(value); }

class Tests {
 public:
  Tests(const spec::Spec& spec, const AlertRule& rule) : spec_(spec), rule_(rule) {}

  // Decided daily, by a host that has neither the store nor its exporter.
  PromtoolTest SideBySide() {
    const std::string always = "1x" + std::to_string(kFiresAt);
    // Beyond the limit at the 54th evaluation, at the limit at the 53rd.
    const std::string old = Value(kStepSeconds) + "x" + std::to_string(kFiresAt);
    const std::string now = "0+" + Value(kStepSeconds) + "x" + std::to_string(kFiresAt);
    const std::string old_enough = "_x2 " + always;
    const std::string& own = spec_.store.name;
    Add("overdue", true, always, own, old);
    Add("never-decided", true, old_enough, own, "");
    Add("decided-by-another-spec", true, old_enough, "other_" + own, now);
    Add(kAtLimit, false, always, own, Value(2 * kStepSeconds) + "x" + std::to_string(kFiresAt));
    Add("decided", false, always, own, now);
    Add("decided-by-an-exporter-that-is-gone", false, always, own, "0+" + Value(kStepSeconds) + "x40 stale");
    Add("too-young", false, "_x3 " + always, own, "");
    Add("taken-away", false, "1x1 stale", own, old);  // a range of Prometheus 3 leaves its very beginning out
    AddWithoutALabel(always);
    return Make("", {{kFiresAt - 1, {}}, {kFiresAt, expected_}});
  }

  // The log vanishes with its exporter, before any decision in it is overdue.
  PromtoolTest AfterTheDecidersEnd() {
    constexpr std::size_t kLastShown = 40;
    constexpr std::size_t kOverdue = kLastShown + kFiresAt;
    constexpr std::size_t kDayLater = kOverdue + 48;
    Add("decided-by-a-host-that-died", true, "1x" + std::to_string(kDayLater), spec_.store.name,
        "0+" + Value(kStepSeconds) + "x" + std::to_string(kLastShown) + " stale");
    Add("too-young", false, "_x" + std::to_string(kDayLater - 2) + " 1x2", spec_.store.name, "");
    return Make(" though no exporter shows a decision any more",
                {{kOverdue - 3, {}}, {kOverdue, expected_}, {kDayLater, expected_}});
  }

  PromtoolTest WithoutALog() {
    Add("never-decided", false, "1x" + std::to_string(kFiresAt), spec_.store.name, "");
    Add("decided-by-another-spec", false, "1x" + std::to_string(kFiresAt), "other_" + spec_.store.name,
        "0x" + std::to_string(kFiresAt));
    return Make(" where no exporter shows a decision", {{kFiresAt, {}}});
  }

 private:
  struct Check {
    std::size_t evaluation;
    std::vector<ExpectedAlert> expected;
  };

  void Add(std::string_view what, bool fires, const std::string& present, const std::string& decided_about,
           const std::string& decided_at) {
    const std::vector<Pair> store = StoreNamed(spec_, what);
    test_.series.emplace_back(Selector(spec_.store.present, store), present);
    if (!decided_at.empty()) {
      test_.series.emplace_back(
          Selector("checkpoint_decision_timestamp_seconds", {{"job", "job-a"},
                                                             {"instance", "decider"},
                                                             {"store", decided_about},
                                                             {"subject", SubjectOf(store)}}),
          decided_at);
    }
    if (fires)
      expected_.push_back(Expect(rule_, {std::string(what), TestStore::Course::kFires, store, {}, 1}));
    std::string& names = fires ? fires_ : quiet_;
    names += (names.empty() ? "" : ", ") + std::string(what);
  }

  // Such a series names no store, so nothing is ever decided about it.
  void AddWithoutALabel(const std::string& present) {
    std::vector<Pair> labels = StoreNamed(spec_, "without-a-label");
    labels.erase(labels.begin());
    test_.series.emplace_back(Selector(spec_.store.present, labels), present);
    quiet_ += ", without-a-label";
  }

  PromtoolTest Make(const std::string& where, const std::vector<Check>& checks) {
    test_.name =
        rule_.alert + " fires for " + (fires_.empty() ? "nobody" : fires_) + ", not for " + quiet_ + where;
    test_.interval = kDayStep;
    for (const Check& check : checks)
      test_.alerts.push_back({rule_.alert, kDayStep * check.evaluation, check.expected});
    return std::move(test_);
  }

  const spec::Spec& spec_;
  const AlertRule& rule_;
  PromtoolTest test_;
  std::vector<ExpectedAlert> expected_;
  std::string fires_;
  std::string quiet_;
};

}  // namespace

std::vector<PromtoolTest> OverdueTests(const spec::Spec& spec, const AlertRule& rule) {
  static_assert(kDecisionOverdue == 52 * kDayStep);
  return {Tests(spec, rule).SideBySide(), Tests(spec, rule).AfterTheDecidersEnd(),
          Tests(spec, rule).WithoutALog()};
}

}  // namespace outgrown::plan
