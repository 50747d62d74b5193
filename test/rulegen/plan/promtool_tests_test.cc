#include "rulegen/plan/promtool_tests.h"

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "test/rulegen/support/tiny_spec.h"

using namespace outgrown;

namespace {

const plan::PromtoolTest& Named(const plan::PromtoolFile& file, const std::string& start) {
  const auto found = std::ranges::find_if(
      file.tests, [&](const plan::PromtoolTest& test) { return test.name.starts_with(start); });
  REQUIRE(found != file.tests.end());
  return *found;
}

struct Planned {
  spec::Spec spec = test::TinySpec();
  plan::RuleFile rules = plan::PlanRules(spec);
  plan::PromtoolFile tests = plan::PlanTests(spec, rules);
};

}  // namespace

TEST_CASE("every alert and every recorded series has its tests") {
  const Planned planned;
  CHECK(plan::Untested(planned.rules, planned.tests).empty());
}

TEST_CASE("an alert without a positive test, and a test of a misspelt alert, are named") {
  Planned planned;
  for (plan::PromtoolTest& test : planned.tests.tests) {
    for (plan::AlertCheck& check : test.alerts) {
      if (check.alert == "QueueDepth") check.alert = "QueueDeepth";
    }
  }
  CHECK(plan::Untested(planned.rules, planned.tests) ==
        std::vector<std::string>{"no test expects QueueDepth to fire",
                                 "a test checks QueueDeepth, which no rule has"});
}

TEST_CASE("an alert that is only tested not to fire, and a series that no test expects, are named") {
  Planned planned;
  std::erase_if(planned.tests.tests,
                [](const plan::PromtoolTest& test) { return test.name.starts_with("queue:depth"); });
  for (plan::PromtoolTest& test : planned.tests.tests) {
    for (plan::AlertCheck& check : test.alerts) {
      if (check.alert == "QueueRate") check.expected.clear();
    }
  }
  CHECK(plan::Untested(planned.rules, planned.tests) ==
        std::vector<std::string>{"no test expects QueueRate to fire",
                                 "no test expects a value of queue:depth"});
}

TEST_CASE("`for` one interval short is one sample less than fires") {
  const Planned planned;
  const plan::PromtoolTest& test = Named(planned.tests, "QueueRate fires");
  // 10 minutes at 30 s: 21 true samples fire, 20 don't.
  CHECK(test.series[0].second == "100.00000000000001x22");
  CHECK(test.series[1].second == "100x22");
  CHECK(test.series[2].second == "99.99999999999999x22");
  CHECK(test.series[3].second == "100.00000000000001x19 100x2");
  CHECK(test.series[4].second == "_x23");
  REQUIRE(test.alerts.size() == 3);
  CHECK(test.alerts[0].at == std::chrono::seconds(570));
  CHECK(test.alerts[0].expected.empty());
  CHECK(test.alerts[1].at == std::chrono::minutes(10));
  CHECK(test.alerts[1].expected.size() == 1);
}

TEST_CASE("an alert without `for` fires at the first sample") {
  const Planned planned;
  const plan::PromtoolTest& test = Named(planned.tests, "QueueDepth fires");
  CHECK(test.series.size() == 4);
  CHECK(test.alerts[0].at == Milliseconds(0));
  CHECK(test.alerts[0].expected.size() == 1);
}

TEST_CASE("a counter's signal gets a reset test, a gauge's doesn't") {
  const Planned planned;
  const plan::PromtoolTest& test = Named(planned.tests, "queue:jobs_per_second survives");
  CHECK(test.series[0].second == "0+15x38 15+15x41");
  CHECK(std::ranges::none_of(planned.tests.tests, [](const auto& each) {
    return each.name == "queue:depth survives a counter reset";
  }));
}

TEST_CASE("every signal is tested with one more store for each identity label") {
  const Planned planned;
  const plan::PromtoolTest& test = Named(planned.tests, "queue:depth keeps stores apart");
  REQUIRE(test.samples.size() == 1);
  std::vector<std::string> series;
  for (const plan::ExpectedSample& sample : test.samples[0].expected) series.push_back(sample.series);
  CHECK(series == std::vector<std::string>{
                      "queue:depth{job=\"job-a\",instance=\"instance-a\",path=\"path-a\"}",
                      "queue:depth{job=\"job-b\",instance=\"instance-a\",path=\"path-a\"}",
                      "queue:depth{job=\"job-a\",instance=\"instance-b\",path=\"path-a\"}",
                      "queue:depth{job=\"job-a\",instance=\"instance-a\",path=\"path-b\"}",
                  });
}
