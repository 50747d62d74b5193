// promtool unit tests for every alert and every recorded series, as structs.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/duration.h"
#include "common/result.h"
#include "rulegen/artefacts/rules.h"
#include "thresholds/model.h"

namespace outgrown::plan {

struct ExpectedAlert {
  std::vector<Pair> labels;       // in full, but the alert's name
  std::vector<Pair> annotations;  // in full, as they read once the templates are expanded
};

struct AlertCheck {
  std::string alert;
  Milliseconds at{0};
  std::vector<ExpectedAlert> expected;  // none: the alert must not fire
};

struct ExpectedSample {
  std::string labels;  // the store's, in full: {job="job-a",...}
  double value = 0;
};

// A recorded series' values, rounded: Prometheus 2 and 3 take other samples into a window (3 leaves out its left end), so
// that the last bits of a rate differ.
struct SampleCheck {
  std::string record;  // the recorded series' name
  std::string expr;    // round(SERIES, NEAREST)
  Milliseconds at{0};
  std::vector<ExpectedSample> expected;
};

struct PromtoolTest {
  std::string name;
  Milliseconds interval{0};  // between the samples of the input series
  std::vector<std::pair<std::string, std::string>> series;
  std::vector<AlertCheck> alerts;
  std::vector<SampleCheck> samples;
};

struct PromtoolFile {
  std::string rule_file;  // beside the test file
  Milliseconds evaluation_interval{0};
  std::vector<std::string> groups;  // the rules' groups, in the order in which they are evaluated
  // Lines for the reader. For each recorded series one that says which of idle and counter reset its tests cover, and if
  // not, why.
  std::vector<std::string> notes;
  std::vector<PromtoolTest> tests;
};

// For every alert on a threshold: beyond fires, at the limit and short of it doesn't, `for` one interval too short
// doesn't, and once the condition has ended it goes on for keep_firing_for and no longer. For every alert about the
// measurement: the same as far as it applies, and what must not be mistaken for it. For all of them: without any
// series nothing fires (what takes days is in day_tests.h). For every recorded series: the spec's cases, a counter
// reset if one of them has counters that rise, and one other store for each identity label. Linear in the spec.
// Precondition: `rules` are PlanRules(spec)'s.
PromtoolFile PlanTests(const spec::Spec& spec, const RuleFile& rules);

}  // namespace outgrown::plan

namespace outgrown::emit {

// The test file that `promtool test rules` runs.

std::string PromtoolYaml(const spec::Spec& spec, const plan::PromtoolFile& tests);

}  // namespace outgrown::emit

namespace outgrown::plan {

// The frame of one alert's promtool test: stores side by side, told apart by what happens to them, with one
// sample an evaluation.

// What happens to a store, as the value of one of its labels; Untested() looks for these.
inline constexpr std::string_view kAtLimit = "at-limit";
inline constexpr std::string_view kOneIntervalShort = "one-interval-short";  // of the alert's `for`
inline constexpr std::string_view kEnded = "ended";                          // once it fired

struct TestStore {
  enum class Course { kStaysQuiet, kFires, kFiresAndEnds };
  std::string what;
  Course course = Course::kStaysQuiet;
  std::vector<Pair> labels;                                 // of its alert, without the rule's own
  std::vector<std::pair<std::string, std::string>> series;  // selector -> notation
  double value = 0;                                         // of the expression while it fires
};

// The alert that a store gives while it fires.
ExpectedAlert Expect(const AlertRule& rule, const TestStore& store);

class AlertTest {
 public:
  // `start`: the evaluation at which a condition that is there from the first sample on becomes true; 1 for
  // a rate, which needs two samples. Keeps references to both, which must outlive this.
  AlertTest(const spec::Spec& spec, const AlertRule& rule, std::size_t start);

  // False if the alert fires at once.
  bool Waits() const { return wait_ > 0; }

  // Notations that fill the test. A value that stays.
  std::string Always(double value) const;
  // A value that changes by `step` each evaluation.
  std::string Rising(double value, double step) const;
  // One evaluation too few to fire.
  std::string TooBriefly(double bad, double good) const;
  // Fires, and is over at the next evaluation.
  std::string FiresOnce(double bad, double good) const;
  // The index of the sample at which the alert fires.
  std::size_t FiresAt() const { return start_ + wait_; }

  void Add(TestStore store) { stores_.push_back(std::move(store)); }

  // The stores that fire are quiet one evaluation before `for` has passed and fire then; those that end go
  // on for keep_firing_for and no longer.
  PromtoolTest Make() const;

 private:
  std::size_t End() const { return FiresAt() + keep_ + 1; }
  AlertCheck CheckAt(std::size_t evaluation, bool ended) const;

  const spec::Spec& spec_;
  const AlertRule& rule_;
  std::size_t start_;
  std::size_t wait_;  // evaluations from the first true one until the alert fires
  std::size_t keep_;  // evaluations from the first false one until it stops
  std::vector<TestStore> stores_;
};

// How many evaluations it takes until that time has passed.
std::size_t Evaluations(const spec::Spec& spec, Milliseconds time);

// The nearest value on that side of the limit; 1 from 0, whose neighbours would need 324 digits.
double Neighbour(double limit, bool above);

// A run of one value: itself and `more`.
std::string Repeat(double value, std::size_t more);

}  // namespace outgrown::plan
