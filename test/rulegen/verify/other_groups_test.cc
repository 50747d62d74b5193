#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "rulegen/verify/compare_rules.h"
#include "test/rulegen/support/tiny_spec.h"

using namespace outgrown;
using verify::LoadedGroup;
using verify::LoadedRules;
using verify::RuleKind;

namespace {

using Lines = std::vector<std::string>;

LoadedGroup Recording(const std::string& name, const std::string& file, const std::string& series) {
  verify::LoadedRule rule;
  rule.rule.kind = RuleKind::kRecording;
  rule.rule.name = series;
  return {name, file, Milliseconds(1000), 0, {}, {rule}};
}

Lines AlsoElsewhere(const LoadedRules& loaded) {
  const spec::Spec spec = test::TinySpec();
  return verify::AlsoElsewhere(spec, verify::ExpectedRules(spec, spec::Flavor::kPrometheus), loaded);
}

}  // namespace

TEST_CASE("a series of the spec's that another group records is named, once for each group") {
  LoadedRules loaded;
  loaded.others = {{"theirs",
                    "their.yml",
                    {"their:x", "queue:depth", "queue:depth", "queue:jobs_per_second"},
                    {"Theirs", "QueueDepth"}},
                   {"others\n", "", {"queue:depth"}, {}}};
  CHECK(AlsoElsewhere(loaded) ==
        Lines{"queue:depth is also recorded by group theirs (from their.yml)",
              "queue:jobs_per_second is also recorded by group theirs (from their.yml)",
              "QueueDepth is also an alert of group theirs (from their.yml)",
              "queue:depth is also recorded by group others\xEF\xBF\xBD"});
}

TEST_CASE("a series that only a group of another spec's records beside the spec's is named too") {
  LoadedRules loaded;
  loaded.groups = {Recording("outgrown-other", "other.yml", "queue:depth"),
                   Recording("outgrown-other", "other.yml", "other:depth")};
  CHECK(AlsoElsewhere(loaded) ==
        Lines{"queue:depth is also recorded by group outgrown-other (from other.yml)"});
  loaded.groups[0].rules[0].rule.kind = RuleKind::kAlerting;
  CHECK(AlsoElsewhere(loaded).empty());
}

TEST_CASE("an alert of the spec's that another group has as well is named") {
  LoadedRules loaded;
  loaded.groups = {Recording("outgrown-other", "other.yml", "QueueRate"),
                   Recording("outgrown-queue", "queue.yml", "QueueRate")};
  loaded.groups[0].rules[0].rule.kind = RuleKind::kAlerting;
  loaded.groups[1].rules[0].rule.kind = RuleKind::kAlerting;
  CHECK(AlsoElsewhere(loaded) ==
        Lines{"QueueRate is also an alert of group outgrown-other (from other.yml)"});
}

TEST_CASE("the spec's own groups and series of others are nothing to report") {
  LoadedRules loaded;
  loaded.groups = {Recording("outgrown-queue", "queue.yml", "queue:depth"),
                   Recording("outgrown-queue-9", "old.yml", "queue:depth")};
  loaded.others = {{"theirs", "their.yml", {"their:x", "queue:depth_max"}, {"QueueRates"}},
                   {"empty", "", {}, {}}};
  CHECK(AlsoElsewhere(loaded).empty());
}

TEST_CASE("groups of ours that no given spec owns are named with their file") {
  const spec::Spec queue = test::TinySpec();
  spec::Spec renamed = queue;
  renamed.store.name = "jobs";
  LoadedRules loaded;
  loaded.groups = {Recording("outgrown-queue", "queue.yml", "queue:depth"),
                   Recording("outgrown-queue-measurement", "queue.yml", "queue:depth"),
                   Recording("outgrown-jobs", "", "jobs:depth")};
  loaded.others = {{"theirs", "their.yml", {"their:x"}, {}}};
  const std::string end = " is of no spec given here: it is another repo's, or its rule file was left behind";
  CHECK(verify::GroupsOfNoSpec({&queue, &renamed}, loaded).empty());
  CHECK(verify::GroupsOfNoSpec({&queue}, loaded) == Lines{"group outgrown-jobs" + end});
  CHECK(verify::GroupsOfNoSpec({&renamed}, loaded) ==
        Lines{"group outgrown-queue (from queue.yml)" + end,
              "group outgrown-queue-measurement (from queue.yml)" + end});
}
