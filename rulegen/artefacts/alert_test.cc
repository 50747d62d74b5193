#include "rulegen/artefacts/alert_test.h"

#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "common/duration.h"
#include "common/number.h"
#include "rulegen/artefacts/template.h"

namespace outgrown::plan {
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
