#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "decision/history/backtest.h"
#include "test/rulegen/support/tiny_spec.h"

using namespace outgrown;
using history::ChooseSeries;
using history::Recordings;
using history::SeriesChoices;

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
  for (const spec::Signal& signal : spec.signals) recordings.loaded["queue:" + signal.id] = {signal.expr};
  for (const spec::Spec* reference : {static_cast<const spec::Spec*>(nullptr), &spec}) {
    for (const auto& choice : ChooseSeries(spec, reference, recordings).signals) CHECK(choice.expr.empty());
  }
}

TEST_CASE("an expression that the server records otherwise is asked raw, on either side") {
  const spec::Spec old_spec = test::TinySpec();
  spec::Spec new_spec = old_spec;
  new_spec.signals[1].expr = "2 * " + new_spec.signals[1].expr;
  Recordings recordings = AllThere();
  recordings.loaded["queue:depth"] = {old_spec.signals[1].expr};
  // The changed spec first: what is in Prometheus is the old one's.
  const SeriesChoices changed = ChooseSeries(new_spec, nullptr, recordings);
  CHECK(changed.signals[1].expr == new_spec.signals[1].expr);
  CHECK(changed.signals[1].reason == "Prometheus records another expression");
  CHECK(changed.signals[0].expr.empty());
  CHECK(ChooseSeries(old_spec, &new_spec, recordings).signals[1].expr.empty());
  // Both versions' rules are loaded: what was recorded is neither one's alone.
  recordings.loaded["queue:depth"].insert(new_spec.signals[1].expr);
  CHECK(ChooseSeries(new_spec, nullptr, recordings).signals[1].expr == new_spec.signals[1].expr);
  CHECK(ChooseSeries(old_spec, &new_spec, recordings).signals[1].expr == old_spec.signals[1].expr);
}

TEST_CASE("where the server says nothing, the first spec is taken for what it records") {
  const spec::Spec reference = test::TinySpec();
  spec::Spec other = reference;
  other.signals[0].expr += " * 2";
  for (spec::Threshold& threshold : other.thresholds) {
    if (threshold.signal == other.signals[1].id) threshold.signal = "length";
  }
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

namespace {

// A server that gives the same answer to each range query.
class OneAnswer : public prometheus_api::QuerySource {
 public:
  explicit OneAnswer(Result<prometheus_api::Answer> answer) : answer_(std::move(answer)) {}

  Result<prometheus_api::Answer> Query(const std::string&, std::int64_t,
                                       prometheus_api::ResultType) override {
    return Error{"not asked here", ""};
  }
  Result<prometheus_api::Answer> QueryRange(const std::string&, std::int64_t, std::int64_t,
                                            std::int64_t) override {
    return answer_;
  }
  std::optional<std::int64_t> StartTimeMs() override { return std::nullopt; }
  const std::string& name() const override { return name_; }

 private:
  Result<prometheus_api::Answer> answer_;
  std::string name_ = "one answer";
};

}  // namespace

TEST_CASE("a series is taken for not recorded only where a whole answer says so") {
  const auto has = [](Result<prometheus_api::Answer> answer) {
    OneAnswer source(std::move(answer));
    return history::HasSamples(source, history::MakeGrid(90'000'000, 86'400'000, 30'000), "queue:depth");
  };
  prometheus_api::Answer answer;
  CHECK_FALSE(has(answer));
  answer.partial = true;
  CHECK(has(answer));
  CHECK(has(Error{"gone", ""}));
  answer.partial = false;
  answer.series.push_back({{}, {{90'000'000, 1}}});
  CHECK(has(answer));
}

TEST_CASE("a signal that no threshold judges makes nothing approximate") {
  spec::Spec spec = test::TinySpec();
  std::erase_if(spec.thresholds,
                [](const spec::Threshold& threshold) { return threshold.signal == "depth"; });
  Recordings recordings = AllThere();
  recordings.has_samples = [](const std::string& series) { return series != "queue:depth"; };
  const auto choice = ChooseSeries(spec, nullptr, recordings).signals[1];
  CHECK(choice.expr.empty());
  CHECK(choice.reason.empty());
}
