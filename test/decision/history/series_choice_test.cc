#include <chrono>
#include <string>

#include <doctest/doctest.h>

#include "decision/history/backtest.h"
#include "test/rulegen/support/tiny_spec.h"

using namespace outgrown;
using backtest::ChooseSeries;
using backtest::Recordings;
using backtest::SeriesChoices;

namespace {

Recordings AllThere() {
  return {.loaded = {},
          .has_samples = [](const std::string&) { return true; },
          .same = [](const std::string& left, const std::string& right) { return left == right; }};
}

}  // namespace

TEST_CASE("what is recorded is read as it was recorded") {
  const spec::Spec spec = test::TinySpec();
  Recordings recordings = AllThere();
  for (const spec::Signal& signal : spec.signals) recordings.loaded["queue:" + signal.id] = signal.expr;
  for (const spec::Spec* reference : {static_cast<const spec::Spec*>(nullptr), &spec}) {
    for (const auto& choice : ChooseSeries(spec, reference, recordings).signals) CHECK(choice.expr.empty());
  }
}

TEST_CASE("an expression that the server records otherwise is asked raw, on either side") {
  const spec::Spec old_spec = test::TinySpec();
  spec::Spec new_spec = old_spec;
  new_spec.signals[1].expr = "2 * " + new_spec.signals[1].expr;
  Recordings recordings = AllThere();
  recordings.loaded["queue:depth"] = old_spec.signals[1].expr;
  // The changed spec first: what stands in Prometheus is the old one's.
  const SeriesChoices changed = ChooseSeries(new_spec, nullptr, recordings);
  CHECK(changed.signals[1].expr == new_spec.signals[1].expr);
  CHECK(changed.signals[1].reason == "Prometheus records another expression");
  CHECK(changed.signals[0].expr.empty());
  CHECK(ChooseSeries(old_spec, &new_spec, recordings).signals[1].expr.empty());
}

TEST_CASE("where the server says nothing, the first spec is taken for what it records") {
  const spec::Spec reference = test::TinySpec();
  spec::Spec other = reference;
  other.signals[0].expr += " * 2";
  other.signals[1].id = "length";
  const SeriesChoices choices = ChooseSeries(other, &reference, AllThere());
  CHECK(choices.signals[0].reason == "the expression differs from the other spec's");
  CHECK(choices.signals[1].reason == "the other spec does not record it");
}

TEST_CASE("with another interval everything is asked raw") {
  const spec::Spec reference = test::TinySpec();
  spec::Spec other = reference;
  other.rules.interval = std::chrono::seconds(60);
  for (const auto& choice : ChooseSeries(other, &reference, AllThere()).signals) {
    CHECK(choice.reason == "the interval differs from the other spec's");
  }
}

TEST_CASE("what has no sample is asked raw") {
  Recordings recordings = AllThere();
  recordings.has_samples = [](const std::string& series) { return series != "queue:depth"; };
  const SeriesChoices choices = ChooseSeries(test::TinySpec(), nullptr, recordings);
  CHECK(choices.signals[0].expr.empty());
  CHECK(choices.signals[1].reason == "Prometheus has not recorded it");
  CHECK(choices.signals[1].expr == test::TinySpec().signals[1].expr);
}
