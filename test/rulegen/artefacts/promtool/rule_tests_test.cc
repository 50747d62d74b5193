#include "rulegen/artefacts/promtool/rule_tests.h"

#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "test/rulegen/artefacts/planned.h"
#include "test/rulegen/support/tiny_spec.h"

using namespace outgrown;
using test::Named;
using test::Planned;

namespace {

// Takes that store out of QueueRate's test.
void TakeStore(artefacts::PromtoolFile& file, const std::string& store) {
  for (artefacts::PromtoolTest& test : file.tests) {
    if (!test.name.starts_with("QueueRate fires")) continue;
    std::erase_if(test.series, [&](const auto& series) {
      return series.first.find('"' + store + '"') != std::string::npos;
    });
  }
}

}  // namespace

TEST_CASE("every alert and every recorded series has its tests") {
  const Planned planned;
  CHECK(planned.Untested().empty());
}

TEST_CASE("an alert without a test, and a test of a misspelt alert, are named") {
  Planned planned;
  for (artefacts::PromtoolTest& test : planned.tests.tests) {
    for (artefacts::AlertCheck& check : test.alerts) {
      if (check.alert == "QueueRate") check.alert = "QueueRaite";
    }
  }
  CHECK(planned.Untested() ==
        std::vector<std::string>{
            "no test expects QueueRate to fire", "no test has QueueRate one interval short of its `for`",
            "no test has QueueRate at its limit", "no test has QueueRate at a value that is not finite",
            "no test has QueueRate end after keep_firing_for", "no test has QueueRate without any series",
            "a test checks QueueRaite, which no rule has"});
}

TEST_CASE("an alert that is only tested not to fire, and a series that no test expects, are named") {
  Planned planned;
  for (artefacts::PromtoolFile& file : planned.files) {
    std::erase_if(file.tests,
                  [](const artefacts::PromtoolTest& test) { return test.name.starts_with("queue:depth"); });
  }
  for (artefacts::PromtoolTest& test : planned.tests.tests) {
    for (artefacts::AlertCheck& check : test.alerts) {
      if (check.alert == "QueueDepth") check.expected.clear();
    }
  }
  CHECK(planned.Untested() == std::vector<std::string>{"no test expects a value of queue:depth",
                                                       "no test expects QueueDepth to fire",
                                                       "no test has QueueDepth at its limit",
                                                       "no test has QueueDepth at a value that is not finite",
                                                       "no test has QueueDepth end after keep_firing_for"});
}

TEST_CASE("each thing that a test of an alert could leave out is named") {
  struct Row {
    void (*leave_out)(artefacts::PromtoolFile&);
    std::string named;
  };
  const Row rows[] = {
      {[](artefacts::PromtoolFile& file) { TakeStore(file, "at-limit"); },
       "no test has QueueRate at its limit"},
      {[](artefacts::PromtoolFile& file) { TakeStore(file, "one-interval-short"); },
       "no test has QueueRate one interval short of its `for`"},
      {[](artefacts::PromtoolFile& file) { TakeStore(file, "ended"); },
       "no test has QueueRate end after keep_firing_for"},
      {[](artefacts::PromtoolFile& file) {
         for (artefacts::PromtoolTest& test : file.tests) {
           if (test.name.starts_with("QueueRate fires")) test.alerts.erase(test.alerts.begin());
         }
       },
       "no test has QueueRate one interval short of its `for`"},
      {[](artefacts::PromtoolFile& file) { TakeStore(file, "not-finite"); },
       "no test has QueueRate at a value that is not finite"},
      {[](artefacts::PromtoolFile& file) {
         for (artefacts::PromtoolTest& test : file.tests) {
           if (test.name.starts_with("QueueRate fires")) test.alerts.pop_back();
         }
       },
       "no test has QueueRate end after keep_firing_for"},
      {[](artefacts::PromtoolFile& file) {
         for (artefacts::AlertCheck& check : file.tests.back().alerts) {
           if (check.alert == "QueueRate") check.at = std::chrono::seconds(570);
         }
       },
       "no test has QueueRate without any series"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.named);
    Planned planned;
    row.leave_out(planned.tests);
    CHECK(planned.Untested() == std::vector<std::string>{row.named});
  }
}

TEST_CASE("`for` one interval short is one sample less than fires") {
  const Planned planned;
  const artefacts::PromtoolTest& test = Named(planned.files, "QueueRate fires");
  // 10 minutes at 30 s: 21 true samples fire, 20 don't. Then 15 minutes of keep_firing_for.
  CHECK(test.series[0].second == "100.00000000000001x51");
  CHECK(test.series[1].second == "100.00000000000001x20 100x30");
  CHECK(test.series[2].second == "100x51");
  CHECK(test.series[3].second == "99.99999999999999x51");
  CHECK(test.series[4].second.starts_with("Inf Inf "));
  CHECK(test.series[5].second == "100.00000000000001x19 100x31");
  REQUIRE(test.alerts.size() == 4);
  CHECK(test.alerts[0].at == std::chrono::seconds(570));
  CHECK(test.alerts[0].expected.empty());
  CHECK(test.alerts[1].at == std::chrono::minutes(10));
  CHECK(test.alerts[1].expected.size() == 2);
}

TEST_CASE("an alert goes on for keep_firing_for after its condition ended, and no longer") {
  Planned planned;
  const artefacts::PromtoolTest& test = Named(planned.files, "QueueRate fires");
  CHECK(test.alerts[2].at == std::chrono::minutes(25));
  CHECK(test.alerts[2].expected.size() == 2);
  CHECK(test.alerts[3].at == std::chrono::seconds(1530));
  REQUIRE(test.alerts[3].expected.size() == 1);
  CHECK(test.alerts[3].expected[0].labels.at(2).value == "beyond");
  // Without it the alert is over at the next evaluation.
  planned.spec.rules.keep_firing_for.reset();
  const std::vector<artefacts::PromtoolFile> without =
      artefacts::PlanTests(planned.spec, artefacts::PlanRules(planned.spec));
  const artefacts::PromtoolTest& ends = Named(without, "QueueRate fires");
  REQUIRE(ends.alerts.size() == 3);
  CHECK(ends.alerts[2].at == std::chrono::seconds(630));
  CHECK(ends.alerts[2].expected.size() == 1);
}

TEST_CASE("an alert without `for` fires at the first sample") {
  const Planned planned;
  const artefacts::PromtoolTest& test = Named(planned.files, "QueueDepth fires");
  CHECK(test.series.size() == 5);
  CHECK(test.alerts[0].at == Milliseconds(0));
  CHECK(test.alerts[0].expected.size() == 2);
}

TEST_CASE("no alert may fire without any series, once its `for` has passed") {
  const Planned planned;
  const artefacts::PromtoolTest& test = Named(planned.files, "no alert fires");
  CHECK(test.series.empty());
  std::vector<std::string> checks;
  for (const artefacts::AlertCheck& check : test.alerts) {
    CHECK(check.expected.empty());
    checks.push_back(check.alert + " " + FormatDuration(check.at));
  }
  CHECK(checks == std::vector<std::string>{"QueueRate 10m30s", "QueueRateApproaching 10m30s",
                                           "QueueDepth 30s", "QueueExporterDown 5m30s",
                                           "QueueDepthUnread 30s"});
}

TEST_CASE("a watch's cases are its tests, with the placeholders filled in and `for` checked") {
  const Planned planned;
  const artefacts::PromtoolTest& down = Named(planned.files, "QueueExporterDown: down");
  CHECK(down.series[0].first == "up{job=\"job-a\",instance=\"instance-a\"}");
  REQUIRE(down.alerts.size() == 2);
  CHECK(down.alerts[0].at == std::chrono::seconds(270));
  CHECK(down.alerts[0].expected.empty());
  CHECK(down.alerts[1].at == std::chrono::minutes(5));
  REQUIRE(down.alerts[1].expected.size() == 1);
  CHECK(down.alerts[1].expected[0].labels.size() == 4);
  const artefacts::PromtoolTest& up = Named(planned.files, "QueueExporterDown: up");
  REQUIRE(up.alerts.size() == 1);
  CHECK(up.alerts[0].expected.empty());
  const artefacts::PromtoolTest& unread = Named(planned.files, "QueueDepthUnread: up");
  CHECK(unread.series[1].first.find("digest=\"" + std::string(64, 'd') + "\"") != std::string::npos);
}

TEST_CASE("labels that an alert's expression makes are expected as the case says") {
  spec::Spec spec = test::TinySpec();
  spec.watches[1].labels.emplace_back("missing");
  spec.watches[1].tests[0].labels = {{"missing", "Depth"}};
  const std::vector<artefacts::PromtoolFile> file = artefacts::PlanTests(spec, artefacts::PlanRules(spec));
  const artefacts::PromtoolTest& down = Named(file, "QueueExporterDown: down");
  CHECK(down.alerts[1].expected.at(0).labels.at(3) == artefacts::Pair{"missing", "Depth"});
}

TEST_CASE("cases of another interval stand in a file of their own, which is evaluated so rarely") {
  const Planned planned;
  REQUIRE(planned.files.size() == 3);
  CHECK(planned.files[2].evaluation_interval == std::chrono::minutes(30));
  REQUIRE(planned.files[2].tests.size() == 1);
  CHECK(planned.files[2].tests[0].name == "QueueExporterDown: for a day");
  CHECK(planned.files[2].tests[0].interval == std::chrono::minutes(30));
}
