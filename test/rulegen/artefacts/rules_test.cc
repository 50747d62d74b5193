#include "rulegen/artefacts/rules.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <doctest/doctest.h>
#include <yaml-cpp/yaml.h>

#include "rulegen/artefacts/annotation.h"
#include "test/rulegen/support/tiny_spec.h"
#include "thresholds/names.h"
#include "thresholds/table_source.h"

using namespace outgrown;
using artefacts::AlertRule;
using artefacts::RecordingRule;

namespace {

// "R:name" for a recording rule, "A:name" for an alert, in the order of evaluation.
std::vector<std::string> Names(const artefacts::RuleGroup& group) {
  std::vector<std::string> names;
  for (const artefacts::Rule& rule : group.rules) {
    const auto* recording = std::get_if<RecordingRule>(&rule);
    names.push_back(recording != nullptr ? "R:" + recording->record : "A:" + std::get<AlertRule>(rule).alert);
  }
  return names;
}

}  // namespace

TEST_CASE("a recording rule and its alerts are in one group in that order") {
  const artefacts::RuleFile file = artefacts::PlanRules(test::TinySpec());
  CHECK(artefacts::GroupNames(file) == std::vector<std::string>{"outgrown-queue",
                                                                "outgrown-queue-measurement-2m",
                                                                "outgrown-queue-measurement"});
  CHECK(Names(file.groups[0]) == std::vector<std::string>{"R:queue:jobs_per_second", "A:QueueRate",
                                                          "A:QueueRateApproaching", "R:queue:depth",
                                                          "A:QueueDepth"});
}

TEST_CASE("without runbook_url no alert has an annotation of that name") {
  spec::Spec spec = test::TinySpec();
  const auto count = [](const spec::Spec& of) {
    const std::string text = artefacts::RulesYaml(of, artefacts::PlanRules(of), spec::Flavor::kPrometheus);
    std::size_t found = 0;
    for (std::size_t at = 0; (at = text.find("runbook_url", at)) != std::string::npos; ++at) ++found;
    return found;
  };
  CHECK(count(spec) == spec.thresholds.size() + 2);  // watches
  spec.rules.runbook_url.clear();
  CHECK(count(spec) == 0);
}

TEST_CASE("a group holds 20 rules at most and tears no signal from its alerts") {
  spec::Spec spec = test::TinySpec();
  const spec::Signal signal = spec.signals[0];
  const spec::Threshold threshold = spec.thresholds[0];
  spec.signals.clear();
  spec.thresholds.clear();
  for (int i = 0; i < 50; ++i) {
    spec.signals.push_back(signal);
    spec.signals.back().id = "s" + std::to_string(i);
    for (int j = 0; j < i % 7; ++j) {
      spec.thresholds.push_back(threshold);
      spec.thresholds.back().id = "T" + std::to_string(i) + "x" + std::to_string(j);
      spec.thresholds.back().signal = spec.signals.back().id;
    }
  }
  std::size_t recordings = 0;
  std::size_t alerts = 0;
  for (const artefacts::RuleGroup& group : artefacts::PlanRules(spec).groups) {
    if (group.name.find("measurement") != std::string::npos) continue;
    CHECK(group.rules.size() <= spec::kRulesPerGroupMax);
    REQUIRE(std::holds_alternative<RecordingRule>(group.rules.front()));
    std::string record;
    for (const artefacts::Rule& rule : group.rules) {
      if (const auto* recording = std::get_if<RecordingRule>(&rule)) {
        record = recording->record;
        ++recordings;
      } else {
        CHECK(std::get<AlertRule>(rule).expr == record + " > 100 < +Inf");
        ++alerts;
      }
    }
  }
  CHECK(recordings == 50);
  CHECK(alerts == spec.thresholds.size());
}

TEST_CASE("an alert carries severity, verdict and threshold, and the line that the decision prints") {
  const artefacts::RuleFile file = artefacts::PlanRules(test::TinySpec());
  const auto& alert = std::get<AlertRule>(file.groups[0].rules[1]);
  CHECK(alert.labels ==
        std::vector<artefacts::Pair>{{"severity", "critical"}, {"verdict", "now"}, {"threshold", "Rate"}});
  CHECK(artefacts::Render(alert.annotations[0].text, {}, 0) == "MOVE NOW - Rate >100/sec");
  const std::vector<artefacts::Pair> store = {{"job", "j"}, {"instance", "i"}, {"path", "p"}};
  CHECK(artefacts::Render(alert.annotations[1].text, store, 120.5) ==
        "Jobs per second: 120.5/s, more than the limit of 100/s for 10m. Store: job=j, instance=i, path=p.");
  CHECK(artefacts::Render(alert.annotations[2].text, {}, 0) ==
        "https://example.org/queue.runbook.md#queuerate");
  CHECK(alert.keep_firing_for == std::chrono::minutes(15));
}

TEST_CASE("a threshold below its limit compares the other way round") {
  spec::Spec spec = test::TinySpec();
  spec.thresholds[2].direction = Direction::kBelow;
  const artefacts::RuleFile file = artefacts::PlanRules(spec);
  const auto& alert = std::get<AlertRule>(file.groups[0].rules[4]);
  CHECK(alert.expr == "queue:depth < 1000 > -Inf");
}

TEST_CASE(
    "watches stand in groups of their own intervals, in the order of the spec, with their placeholders "
    "filled in") {
  const artefacts::RuleFile file = artefacts::PlanRules(test::TinySpec());
  CHECK(file.groups[1].interval == std::chrono::minutes(2));
  CHECK(Names(file.groups[1]) == std::vector<std::string>{"R:queue:present"});
  CHECK(std::get<RecordingRule>(file.groups[1].rules[0]).expr == "max by (job, instance, path) (queue_up)");
  CHECK(file.groups[2].interval == std::chrono::seconds(30));
  CHECK(Names(file.groups[2]) == std::vector<std::string>{"A:QueueExporterDown", "A:QueueDepthUnread"});
  const auto& unread = std::get<AlertRule>(file.groups[2].rules[1]);
  CHECK(unread.expr.find("digest=\"" + std::string(64, 'd') + "\"") != std::string::npos);
}

TEST_CASE("a watch's alert says what the spec says, which store, and carries no verdict") {
  const artefacts::RuleFile file = artefacts::PlanRules(test::TinySpec());
  const auto& down = std::get<AlertRule>(file.groups[2].rules[0]);
  CHECK(down.labels == std::vector<artefacts::Pair>{{"severity", "warning"}});
  CHECK(down.hold == std::chrono::minutes(5));
  CHECK_FALSE(down.keep_firing_for.has_value());
  const std::vector<artefacts::Pair> store = {{"job", "j"}, {"instance", "i"}, {"path", "p"}};
  CHECK(artefacts::Render(down.annotations[0].text, store, 1) == "Exporter down");
  CHECK(artefacts::Render(down.annotations[1].text, store, 1) ==
        "It does not answer. Store: job=j, instance=i, path=p.");
  const auto& unread = std::get<AlertRule>(file.groups[2].rules[1]);
  CHECK(unread.labels == std::vector<artefacts::Pair>{{"severity", "critical"}});
  CHECK(artefacts::Render(unread.annotations[1].text, {}, 1) == "Nobody reads it.");
}

TEST_CASE("a split follows its signal, the coverage's reason behind the coverage") {
  spec::Spec spec = test::TinySpec();
  spec.signals[1].split = "sum by (job, instance, path, reason) (queue_depth)";
  spec.coverage.emplace();
  spec.coverage->expr = "queue_up";
  spec.coverage->reason = "queue_up == 0";
  const std::vector<std::string> names = Names(artefacts::PlanRules(spec).groups[0]);
  CHECK(names.front() == "R:queue:coverage_ratio");
  CHECK(names[1] == "R:queue:coverage_reason");
  CHECK(std::vector<std::string>(names.end() - 3, names.end()) ==
        std::vector<std::string>{"R:queue:depth", "R:queue:depth:split", "A:QueueDepth"});
}

TEST_CASE("values read as Prometheus' template functions print them") {
  CHECK(artefacts::Humanize(0.0231, Unit::kRatio) == "2.31%");
  CHECK(artefacts::Humanize(84.25, Unit::kPerSecond) == "84.25/s");
  CHECK(artefacts::Humanize(12345, Unit::kPerSecond) == "12.35k/s");
  CHECK(artefacts::Humanize(0.038, Unit::kSeconds) == "38ms");
  CHECK(artefacts::Humanize(3700, Unit::kSeconds) == "1h 1m 40s");
  CHECK(artefacts::Humanize(5368709120.0, Unit::kBytes) == "5GiB");
  CHECK(artefacts::Humanize(2, Unit::kCount) == "2");
  CHECK(artefacts::Humanize(0, Unit::kCount) == "0");
}

TEST_CASE("vmalert before 1.92 alone does not know keep_firing_for") {
  const spec::Spec spec = test::TinySpec();
  const artefacts::RuleFile rules = artefacts::PlanRules(spec);
  const std::string prometheus = artefacts::RulesYaml(spec, rules, spec::Flavor::kPrometheus);
  const std::string victoria = artefacts::RulesYaml(spec, rules, spec::Flavor::kVictoriaMetrics179);
  CHECK(prometheus == artefacts::RulesYaml(spec, rules, spec::Flavor::kVictoriaMetrics));
  CHECK(prometheus.find("keep_firing_for: 15m") != std::string::npos);
  CHECK(victoria.find("keep_firing_for") == std::string::npos);
  CHECK(YAML::Load(prometheus)["groups"][0]["rules"].size() ==
        YAML::Load(victoria)["groups"][0]["rules"].size());
}

TEST_CASE("the object of Prometheus' operator holds the rule file of Prometheus") {
  spec::Spec spec = test::TinySpec();
  spec.store.name = "spool_";
  const artefacts::RuleFile rules = artefacts::PlanRules(spec);
  const std::string text = artefacts::RulesYaml(spec, rules, spec::Flavor::kPrometheusOperator);
  const YAML::Node object = YAML::Load(text);
  CHECK(object["metadata"]["name"].as<std::string>() == "outgrown-spool--rules");
  CHECK_FALSE(object["metadata"]["labels"]);
  const std::string file = artefacts::RulesYaml(spec, rules, spec::Flavor::kPrometheus);
  CHECK(YAML::Dump(object["spec"]["groups"]) == YAML::Dump(YAML::Load(file)["groups"]));
  CHECK(text.find("{{ $value | ") != std::string::npos);
  spec.rules.helm = true;
  CHECK(artefacts::RulesYaml(spec, rules, spec::Flavor::kPrometheusOperator).find("{{ \"{{\" }} $value | ") !=
        std::string::npos);
}

TEST_CASE("every artefact starts with the one mark") {
  spec::Spec spec = test::TinySpec();
  spec.file = "/somewhere/else/que\nue.toml";
  const std::string mark = spec::GeneratedMark(spec);
  CHECK(mark ==
        "generated by rulegen from que?ue.toml (spec digest " + std::string(64, 'd') + "), do not edit");
  CHECK(artefacts::RulesYaml(spec, artefacts::PlanRules(spec), spec::Flavor::kPrometheus)
            .starts_with("# " + mark + "\n"));
  CHECK(spec::ThresholdsInc(spec).starts_with("// " + mark + "\n"));
}

TEST_CASE("braces in what people wrote are no template") {
  spec::Spec spec = test::TinySpec();
  spec.thresholds[0].because = "{{ $value }} {";
  const std::string yaml = artefacts::RulesYaml(spec, artefacts::PlanRules(spec), spec::Flavor::kPrometheus);
  CHECK(YAML::Load(yaml)["groups"][0]["rules"][1]["annotations"]["summary"].as<std::string>() ==
        "MOVE NOW - {{\"{{\"}} $value }} {{\"{\"}}");
}
