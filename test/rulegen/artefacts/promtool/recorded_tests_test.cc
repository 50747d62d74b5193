#include "rulegen/artefacts/promtool/recorded_tests.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "rulegen/artefacts/promtool/rule_tests.h"
#include "test/rulegen/artefacts/planned.h"
#include "test/rulegen/support/tiny_spec.h"

using namespace outgrown;
using test::Named;
using test::Planned;

TEST_CASE("cases of signals are evaluated once, unless the signal reads what rules recorded before") {
  const auto once = [](const spec::Spec& spec) {
    std::set<std::string> names;
    for (const artefacts::PromtoolFile& file : artefacts::PlanTests(spec, artefacts::PlanRules(spec))) {
      if (file.evaluation_interval != std::chrono::minutes(10)) continue;
      for (const artefacts::PromtoolTest& test : file.tests) names.insert(test.samples.at(0).record);
    }
    return names;
  };
  spec::Spec spec = test::TinySpec();
  CHECK(once(spec) == std::set<std::string>{"queue:depth", "queue:jobs_per_second"});
  spec.signals[1].expr = "max_over_time(queue:jobs_per_second[5m])";
  CHECK(once(spec) == std::set<std::string>{"queue:jobs_per_second"});
}

TEST_CASE("a case may say that nothing is recorded, and which reasons are") {
  spec::Spec spec = test::TinySpec();
  spec.signals[1].split = "sum by (job, instance, path, reason) (queue_depth)";
  spec::SignalTest absent = spec.signals[1].tests.front();
  absent.name = "absent";
  absent.recorded = false;
  absent.split.emplace();
  spec::SignalTest split = spec.signals[1].tests.front();
  split.name = "split";
  split.split = {{"full", 3}, {"slow", 4}};
  spec.signals[1].tests.push_back(absent);
  spec.signals[1].tests.push_back(split);
  const std::vector<artefacts::PromtoolFile> file = artefacts::PlanTests(spec, artefacts::PlanRules(spec));
  const artefacts::PromtoolTest& nothing = Named(file, "queue:depth: absent");
  REQUIRE(nothing.samples.size() == 2);
  CHECK(nothing.samples[0].expected.empty());
  CHECK(nothing.samples[1].expected.empty());
  const artefacts::PromtoolTest& reasons = Named(file, "queue:depth: split");
  REQUIRE(reasons.samples[1].expected.size() == 2);
  CHECK(reasons.samples[1].record == "queue:depth:split");
  CHECK(reasons.samples[1].expected[1].labels ==
        R"({job="job-a",instance="instance-a",path="path-a",reason="slow"})");
  CHECK(reasons.samples[1].expected[1].value == doctest::Approx(4));
}

TEST_CASE("a counter's signal gets a reset test, a gauge's doesn't") {
  const Planned planned;
  const artefacts::PromtoolTest& test = Named(planned.files, "queue:jobs_per_second survives");
  CHECK(test.series[0].second == "0+15x38 15+15x41");
  for (const artefacts::PromtoolFile& file : planned.files) {
    CHECK(std::ranges::none_of(
        file.tests, [](const auto& each) { return each.name == "queue:depth survives a counter reset"; }));
  }
}

TEST_CASE("every signal is tested with one more store for each identity label") {
  const Planned planned;
  const artefacts::PromtoolTest& test = Named(planned.files, "queue:depth keeps stores apart");
  REQUIRE(test.samples.size() == 1);
  std::vector<std::string> series;
  for (const artefacts::ExpectedSample& sample : test.samples[0].expected) series.push_back(sample.labels);
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
    const std::vector<artefacts::PromtoolFile> tests = artefacts::PlanTests(spec, artefacts::PlanRules(spec));
    const artefacts::SampleCheck& check = Named(tests, "queue:depth").samples.at(0);
    std::string expected = row.expr;
    expected.replace(expected.find('S'), 1, "job=\"job-a\",instance=\"instance-a\",path=\"path-a\"");
    CHECK(check.expr == expected);
    CHECK(check.expected.at(0).value == doctest::Approx(row.expected).epsilon(1e-15));
  }
}

TEST_CASE("what a recorded series is not tested for is said, with the reason") {
  spec::Spec spec = test::TinySpec();
  const auto notes = [&] {
    std::vector<std::string> lines = artefacts::PlanTests(spec, artefacts::PlanRules(spec)).front().notes;
    lines.erase(lines.begin());  // what all of them share
    return lines;
  };
  const std::string gauges =
      "queue:depth: its cases read no counter, so idle and counter reset are not tested";
  const std::string no_idle = "idle NOT tested (no case in which every counter stands still)";
  const std::string no_rate = ": it has no rate, so idle and counter reset are not tested";
  CHECK(notes() == std::vector<std::string>{"queue:jobs_per_second: " + no_idle + ", counter reset", gauges,
                                            "queue:present" + no_rate});
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

TEST_CASE(
    "a case's series name the stores that are expected, and what they don't name is the example store's") {
  using Lines = std::vector<std::string>;
  struct Row {
    std::vector<std::string> series;  // of the case
    Lines input;                      // of the test
    std::string expr;
    Lines stores;  // that are expected
  };
  const std::string all = "round(queue:depth, 1e-07)";
  const Row rows[] = {
      {{"queue_depth"},
       {R"(queue_depth{job="job-a",instance="instance-a",path="path-a"})"},
       R"(round(queue:depth{job="job-a",instance="instance-a",path="path-a"}, 1e-07))",
       {R"({job="job-a",instance="instance-a",path="path-a"})"}},
      {{R"(queue_depth{instance='x'})"},
       {R"(queue_depth{job="job-a",instance="x",path="path-a"})"},
       R"(round(queue:depth{job="job-a",instance="x",path="path-a"}, 1e-07))",
       {R"({job="job-a",instance="x",path="path-a"})"}},
      {{R"(queue_depth{state="a,path=",path="1"})", R"(queue_depth{path="2",state="b"})"},
       {R"(queue_depth{job="job-a",instance="instance-a",path="1",state="a,path="})",
        R"(queue_depth{job="job-a",instance="instance-a",path="2",state="b"})"},
       all,
       {R"({job="job-a",instance="instance-a",path="1"})",
        R"({job="job-a",instance="instance-a",path="2"})"}},
      {{R"(queue_depth)", R"(up{path=""})"},
       {R"(queue_depth{job="job-a",instance="instance-a",path="path-a"})",
        R"(up{job="job-a",instance="instance-a"})"},
       R"(round(queue:depth{job="job-a",instance="instance-a",path="path-a"}, 1e-07))",
       {R"({job="job-a",instance="instance-a",path="path-a"})"}},
  };
  for (const Row& row : rows) {
    spec::Spec spec = test::TinySpec();
    for (spec::Signal& signal : spec.signals) {
      if (signal.id != "depth") continue;
      spec::SignalTest named = signal.tests.front();
      named.name = "named";
      named.value = 12;
      named.series.clear();
      for (const std::string& series : row.series) named.series.emplace_back(series, "12x80");
      signal.tests.push_back(named);
    }
    const std::vector<artefacts::PromtoolFile> file = artefacts::PlanTests(spec, artefacts::PlanRules(spec));
    const artefacts::PromtoolTest& test = Named(file, "queue:depth: named");
    Lines input;
    for (const auto& series : test.series) input.push_back(series.first);
    CHECK(input == row.input);
    REQUIRE(test.samples.size() == 1);
    CHECK(test.samples[0].expr == row.expr);
    Lines stores;
    for (const artefacts::ExpectedSample& sample : test.samples[0].expected) {
      stores.push_back(sample.labels);
      CHECK(sample.value == 12);
    }
    CHECK(stores == row.stores);
  }
}

TEST_CASE(
    "the test that keeps stores apart varies a case of one store, and has once what no store has alone") {
  spec::Spec spec = test::TinySpec();
  for (spec::Signal& signal : spec.signals) {
    if (signal.id != "depth") continue;
    spec::SignalTest& first = signal.tests.front();
    first.series = {{R"(queue_depth{path="1"})", "12x80"}, {R"(up{path=""})", "1x80"}};
    spec::SignalTest several = first;
    several.name = "several";
    several.series.emplace_back(R"(queue_depth{path="2"})", "12x80");
    signal.tests.insert(signal.tests.begin(), several);
  }
  const std::vector<artefacts::PromtoolFile> file = artefacts::PlanTests(spec, artefacts::PlanRules(spec));
  std::vector<std::string> input;
  for (const auto& series : Named(file, "queue:depth keeps stores apart").series)
    input.push_back(series.first);
  CHECK(input == std::vector<std::string>{R"(queue_depth{job="job-a",instance="instance-a",path="1"})",
                                          R"(up{job="job-a",instance="instance-a"})",
                                          R"(queue_depth{job="job-b",instance="instance-a",path="1"})",
                                          R"(up{job="job-b",instance="instance-a"})",
                                          R"(queue_depth{job="job-a",instance="instance-b",path="1"})",
                                          R"(up{job="job-a",instance="instance-b"})",
                                          R"(queue_depth{job="job-a",instance="instance-a",path="1-b"})"});
}
