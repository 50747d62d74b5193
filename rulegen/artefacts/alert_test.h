// The frame of one alert's promtool test: stores side by side, told apart by what happens to them, with one
// sample an evaluation.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rulegen/artefacts/promtool_tests.h"
#include "rulegen/artefacts/rules.h"
#include "thresholds/model.h"

namespace outgrown::plan {

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
