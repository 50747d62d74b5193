#include "rulegen/verify/compare_rules.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "test/rulegen/support/tiny_spec.h"

using namespace outgrown;
using verify::ExpectedGroup;
using verify::LoadedGroup;

namespace {

const std::string kGroup = "group outgrown-queue: ";

bool SameText(const std::string& left, const std::string& right) { return left == right; }

std::vector<ExpectedGroup> Expected() {
  return verify::ExpectedRules(test::TinySpec(), spec::Flavor::kPrometheus);
}

// The rules loaded as they should be.
std::vector<LoadedGroup> InStep() {
  std::vector<LoadedGroup> loaded;
  for (const ExpectedGroup& group : Expected()) {
    LoadedGroup copy{group.name, "gen/queue.rules.yml", group.interval, 0, {}, {}};
    for (const verify::Rule& rule : group.rules) copy.rules.push_back({rule, {}});
    loaded.push_back(std::move(copy));
  }
  return loaded;
}

}  // namespace

TEST_CASE("rules that are loaded as the spec generates them have no difference") {
  CHECK(verify::CompareRules(Expected(), InStep(), SameText).empty());
}

TEST_CASE("the tiny spec's first group is what the cases below count on") {
  const std::vector<ExpectedGroup> expected = Expected();
  REQUIRE(!expected.empty());
  CHECK(expected[0].name == "outgrown-queue");
  REQUIRE(expected[0].rules.size() == 5);
  CHECK(expected[0].rules[0].name == "queue:jobs_per_second");
  CHECK(expected[0].rules[1].name == "QueueRate");
  CHECK(expected[0].rules[2].name == "QueueRateApproaching");
}

TEST_CASE("every edit of what is loaded is one line that names group, rule and key") {
  using Groups = std::vector<LoadedGroup>;
  struct Row {
    std::string edit;
    std::function<void(Groups&)> make;
    std::vector<std::string> lines;
  };
  const std::vector<Row> rows = {
      {"expression",
       [](Groups& groups) { groups[0].rules[1].rule.expr = "queue:jobs_per_second > 200"; },
       {kGroup + "alert QueueRate: expr is `queue:jobs_per_second > 200`, the spec says "
                 "`queue:jobs_per_second > 100 < +Inf`"}},
      {"an expression in several lines is shown in one",
       [](Groups& groups) { groups[0].rules[1].rule.expr = "queue:jobs_per_second\n  > 200"; },
       {kGroup + "alert QueueRate: expr is `queue:jobs_per_second > 200`, the spec says "
                 "`queue:jobs_per_second > 100 < +Inf`"}},
      {"for",
       [](Groups& groups) { groups[0].rules[1].rule.hold = std::chrono::minutes(5); },
       {kGroup + "alert QueueRate: for is 5m, the spec says 10m"}},
      {"keep_firing_for",
       [](Groups& groups) { groups[0].rules[1].rule.keep_firing_for = Milliseconds(0); },
       {kGroup + "alert QueueRate: keep_firing_for is 0s, the spec says 15m"}},
      {"keep_firing_for of a server that doesn't say",
       [](Groups& groups) { groups[0].rules[1].rule.keep_firing_for.reset(); },
       {}},
      {"label changed",
       [](Groups& groups) { groups[0].rules[1].rule.labels["severity"] = "page"; },
       {kGroup + "alert QueueRate: label severity is \"page\", the spec says \"critical\""}},
      {"label removed",
       [](Groups& groups) { groups[0].rules[1].rule.labels.erase("verdict"); },
       {kGroup + "alert QueueRate: label verdict is missing, the spec says \"now\""}},
      {"label added",
       [](Groups& groups) { groups[0].rules[1].rule.labels["team"] = "db"; },
       {kGroup + "alert QueueRate: label team is \"db\", the spec has none"}},
      {"label of a recording rule",
       [](Groups& groups) { groups[0].rules[0].rule.labels["team"] = "db"; },
       {kGroup + "recording rule queue:jobs_per_second: label team is \"db\", the spec has none"}},
      {"annotation",
       [](Groups& groups) { groups[0].rules[1].rule.annotations["summary"] = "two\nlines"; },
       {kGroup + "alert QueueRate: annotation summary is \"two\xEF\xBF\xBDlines\", the spec says "
                 "\"MOVE NOW - Rate >100/sec\""}},
      {"interval",
       [](Groups& groups) { groups[0].interval = std::chrono::minutes(1); },
       {kGroup + "interval is 1m, the spec says 30s"}},
      {"a setting that the generated file has not",
       [](Groups& groups) {
         groups[0].settings = {"params is \"x=y\"", "concurrency is 3"};
       },
       {kGroup + "params is \"x=y\", the spec has none", kGroup + "concurrency is 3, the spec has none"}},
      {"limit", [](Groups& groups) { groups[0].limit = 1; }, {kGroup + "limit is 1, the spec has none"}},
      {"order",
       [](Groups& groups) { std::swap(groups[0].rules[0], groups[0].rules[1]); },
       {kGroup + "alert QueueRate comes before recording rule queue:jobs_per_second, the spec has it after"}},
      {"rule missing",
       [](Groups& groups) { groups[0].rules.erase(groups[0].rules.begin() + 1); },
       {kGroup + "alert QueueRate is not loaded"}},
      {"rule added",
       [](Groups& groups) {
         groups[0].rules.push_back(groups[0].rules[1]);
         groups[0].rules.back().rule.name = "QueueMine";
       },
       {kGroup + "alert QueueMine is loaded, the spec has none"}},
      {"rule twice",
       [](Groups& groups) { groups[0].rules.push_back(groups[0].rules[1]); },
       {kGroup + "alert QueueRate is loaded, the spec has none"}},
      {"an alert under a recording rule's name",
       [](Groups& groups) { groups[0].rules[0].rule.kind = verify::RuleKind::kAlerting; },
       {kGroup + "recording rule queue:jobs_per_second is not loaded",
        kGroup + "alert queue:jobs_per_second is loaded, the spec has none"}},
      {"unhealthy",
       [](Groups& groups) {
         groups[0].rules[1].state = {"err", "many-to-many matching not allowed", true};
       },
       {kGroup + "alert QueueRate: its health is err: many-to-many matching not allowed"}},
      {"never evaluated",
       [](Groups& groups) {
         groups[0].rules[1].state = {"unknown", "", false};
       },
       {kGroup + "alert QueueRate: not evaluated since it was loaded"}},
      {"a whole group never evaluated is one line",
       [](Groups& groups) {
         for (verify::LoadedRule& rule : groups[0].rules) rule.state = {"unknown", "", false};
       },
       {kGroup + "not evaluated since it was loaded"}},
      {"group missing",
       [](Groups& groups) { groups.erase(groups.begin()); },
       {"group outgrown-queue is not loaded (5 rules)"}},
      {"group of an older spec",
       [](Groups& groups) {
         groups.push_back({"outgrown-queue-7", "old.yml", std::chrono::seconds(30), 0, {}, {}});
       },
       {"group outgrown-queue-7 (from old.yml) is loaded, the spec has none of that name"}},
      {"group from two files",
       [](Groups& groups) {
         groups.push_back(groups[0]);
         groups.back().file = "copy.yml";
       },
       {"group outgrown-queue is loaded once more (from copy.yml)"}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.edit);
    std::vector<LoadedGroup> loaded = InStep();
    row.make(loaded);
    CHECK(verify::CompareRules(Expected(), loaded, SameText) == row.lines);
  }
}

TEST_CASE("expressions are the same if the given comparison says so") {
  std::vector<LoadedGroup> loaded = InStep();
  loaded[0].rules[0].rule.expr = "spelt another way";
  CHECK(verify::CompareRules(Expected(), loaded, [](const std::string&, const std::string&) {
          return true;
        }).empty());
}

TEST_CASE("what vmalert loads before 1.92 has no keep_firing_for") {
  for (const ExpectedGroup& group :
       verify::ExpectedRules(test::TinySpec(), spec::Flavor::kVictoriaMetrics179)) {
    for (const verify::Rule& rule : group.rules) {
      CHECK(rule.keep_firing_for.value_or(Milliseconds(0)) == Milliseconds(0));
    }
  }
}

TEST_CASE("a group is a spec's own by its store's whole name") {
  const spec::Spec spec = test::TinySpec();
  CHECK(verify::IsOwnGroup(spec, "outgrown-queue"));
  CHECK(verify::IsOwnGroup(spec, "outgrown-queue-2"));
  CHECK(verify::IsOwnGroup(spec, "outgrown-queue-measurement"));
  CHECK_FALSE(verify::IsOwnGroup(spec, "outgrown-queue_two"));
  CHECK_FALSE(verify::IsOwnGroup(spec, "outgrown-queu"));
  CHECK_FALSE(verify::IsOwnGroup(spec, "queue"));
}

TEST_CASE("where a server sorts the rules by kind and name, their order says nothing") {
  std::vector<LoadedGroup> loaded = InStep();
  std::ranges::stable_sort(loaded[0].rules, {}, [](const verify::LoadedRule& loaded_rule) {
    return std::pair(loaded_rule.rule.kind == verify::RuleKind::kRecording, loaded_rule.rule.name);
  });
  CHECK(verify::CompareRules(Expected(), loaded, SameText).size() == 1);
  loaded[0].sorted = true;
  CHECK(verify::CompareRules(Expected(), loaded, SameText).empty());
  loaded[0].rules.pop_back();
  CHECK(verify::CompareRules(Expected(), loaded, SameText).size() == 1);
}
