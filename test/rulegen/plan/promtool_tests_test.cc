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
  for (const plan::ExpectedSample& sample : test.samples[0].expected) series.push_back(sample.labels);
  CHECK(series == std::vector<std::string>{
                      "{job=\"job-a\",instance=\"instance-a\",path=\"path-a\"}",
                      "{job=\"job-b\",instance=\"instance-a\",path=\"path-a\"}",
                      "{job=\"job-a\",instance=\"instance-b\",path=\"path-a\"}",
                      "{job=\"job-a\",instance=\"instance-a\",path=\"path-b\"}",
                  });
}

TEST_CASE("a recorded value is compared to nine digits, as PromQL's round() does it") {
  struct Row {
    double value;
    std::string expr;
    double expected;
  };
  const Row rows[] = {{1, "round(queue:depth{S}, 1e-08)", 1},
                      {0, "round(queue:depth{S}, 1e-09)", 0},
                      {0.1 + 0.2, "round(queue:depth{S}, 1e-09)", 0.3},
                      {99.99999999999999, "round(queue:depth{S}, 1e-06)", 100},
                      {5368709120, "round(queue:depth{S}, 1)", 5368709120},
                      {1e300, "round(queue:depth{S}, 1)", 1e300}};
  for (const Row& row : rows) {
    CAPTURE(row.value);
    spec::Spec spec = test::TinySpec();
    spec.signals[1].tests[0].value = row.value;
    const plan::PromtoolFile tests = plan::PlanTests(spec, plan::PlanRules(spec));
    const plan::SampleCheck& check = Named(tests, "queue:depth").samples.at(0);
    std::string expected = row.expr;
    expected.replace(expected.find('S'), 1, "job=\"job-a\",instance=\"instance-a\",path=\"path-a\"");
    CHECK(check.expr == expected);
    CHECK(check.expected.at(0).value == doctest::Approx(row.expected).epsilon(1e-15));
  }
}

TEST_CASE("what a recorded series is not tested for is said, with the reason") {
  spec::Spec spec = test::TinySpec();
  const auto notes = [&] { return plan::PlanTests(spec, plan::PlanRules(spec)).notes; };
  const std::string gauges =
      "queue:depth: its cases read no counter, so there is no idle and no counter reset to test";
  const std::string no_idle = "idle NOT tested (no case in which every counter stands still)";
  CHECK(notes() == std::vector<std::string>{"queue:jobs_per_second: " + no_idle + ", counter reset", gauges});
  std::vector<spec::SignalTest>& cases = spec.signals[0].tests;
  cases.push_back(cases.front());
  cases.back().series = {{"queue_jobs_total{status=\"ok\"}", "7x80"}, {"queue_depth", "0+1x80"}};
  CHECK(notes().front() == "queue:jobs_per_second: idle, counter reset");
  cases.erase(cases.begin());
  CHECK(notes().front() ==
        "queue:jobs_per_second: idle, counter reset NOT tested (no case whose counters rise until its "
        "instant)");
  cases.front().series = {{"queue_jobs_total{status=\"ok\"}", "7x20 8x60"}};
  CHECK(notes().front().find(no_idle) != std::string::npos);
  // Counters by their parts.
  spec.metrics[1] = {"queue_wait_seconds", "histogram", "Waits.", {"path"}, {}};
  spec.metrics.push_back({"queue_size", "summary", "Sizes.", {"path"}, {}});
  const auto note_of = [&](const std::string& series) {
    cases.front().series = {{series, "7x80"}};
    return notes().front().find("no counter, ") == std::string::npos;
  };
  CHECK(note_of("queue_wait_seconds_bucket{le=\"1\"}"));
  CHECK(note_of("queue_wait_seconds_sum"));
  CHECK(note_of("queue_size_count"));
  CHECK_FALSE(note_of("queue_size{quantile=\"0.5\"}"));
  CHECK_FALSE(note_of("queue_depth"));
}
