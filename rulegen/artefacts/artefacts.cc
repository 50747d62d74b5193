#include "rulegen/artefacts/artefacts.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/check.h"
#include "common/time_text.h"
#include "rulegen/artefacts/alertmanager.h"
#include "rulegen/artefacts/dashboard/dashboard.h"
#include "rulegen/artefacts/dashboard/dashboard_json.h"
#include "rulegen/artefacts/dashboard/fleet_dashboard.h"
#include "rulegen/artefacts/documents.h"
#include "rulegen/artefacts/promtool/promtool.h"
#include "rulegen/artefacts/promtool/rule_tests.h"
#include "rulegen/artefacts/rules.h"
#include "thresholds/table_source.h"

namespace outgrown::artefacts {

namespace {

namespace fs = std::filesystem;

// The base where no Alertmanager configuration was supplied: the least that Alertmanager accepts.
const std::string kEmptyAlertmanager = "route:\n  receiver: default\nreceivers:\n  - name: default\n";

// Where the rule file of a flavor goes, from the folder of the rules.
fs::path RulesPath(const spec::Spec& spec, spec::Flavor flavor) {
  switch (flavor) {
    case spec::Flavor::kPrometheus:
      break;
    case spec::Flavor::kVictoriaMetrics:
      return fs::path("victoriametrics") / (spec.store.name + ".rules.yml");
    case spec::Flavor::kVictoriaMetrics179:
      return fs::path("victoriametrics-1.79") / (spec.store.name + ".rules.yml");
    case spec::Flavor::kPrometheusOperator:
      return fs::path("prometheus-operator") / (spec.store.name + ".prometheusrule.yml");
  }
  return spec.store.name + ".rules.yml";
}

// The rule file that the tests are for: Prometheus' own if there is one, since promtool runs them.
fs::path TestedRulesPath(const spec::Spec& spec) {
  const bool prometheus = std::ranges::count(spec.rules.flavors, spec::Flavor::kPrometheus) > 0;
  return RulesPath(spec, prometheus ? spec::Flavor::kPrometheus : spec.rules.flavors.front());
}

void AddRules(const spec::Spec& spec, const RuleFile& rules, std::vector<Artefact>& artefacts) {
  const fs::path folder = *spec.output.rules;
  for (const spec::Flavor flavor : spec.rules.flavors) {
    artefacts.push_back({folder / RulesPath(spec, flavor), RulesYaml(spec, rules, flavor)});
  }
  for (PromtoolFile& tests : PlanTests(spec, rules)) {
    tests.rule_file = TestedRulesPath(spec).generic_string();
    const bool usual = tests.evaluation_interval == spec.rules.interval;
    const std::string pace = usual ? "" : "." + FormatDuration(tests.evaluation_interval);
    artefacts.push_back({folder / (spec.store.name + pace + ".test.yml"), PromtoolYaml(spec, tests)});
  }
  artefacts.push_back({folder / (spec.store.name + ".thresholds.inc"), spec::ThresholdsInc(spec)});
}

Result<void> AddAlertmanager(const spec::Spec& spec, const RuleFile& rules, const Inputs& inputs,
                             std::vector<Artefact>& artefacts) {
  const Base base = inputs.base.value_or(Base{.text = kEmptyAlertmanager, .name = "", .folder = "."});
  std::vector<Routing> routings = {PlanRouting(spec, rules)};
  for (const spec::Spec& other : inputs.also) routings.push_back(PlanRouting(other, PlanRules(other)));
  Result<std::string> merged = AlertmanagerYaml(spec, routings, base.text, base.name, base.folder);
  if (!merged.ok()) return merged.error();
  artefacts.push_back({*AlertmanagerFile(spec), std::move(*merged), base.mode});
  return {};
}

}  // namespace

std::optional<fs::path> AlertmanagerFile(const spec::Spec& spec) {
  if (!spec.output.rules || !spec.alertmanager) return std::nullopt;
  return fs::path(*spec.output.rules) / (spec.store.name + ".alertmanager.yml");
}

Result<std::vector<Artefact>> MakeArtefacts(const spec::Spec& spec, const Inputs& inputs) {
  std::vector<Artefact> artefacts;
  const RuleFile rules = PlanRules(spec);
  if (spec.output.rules) AddRules(spec, rules, artefacts);
  if (AlertmanagerFile(spec)) {
    OUTGROWN_CHECK(inputs.base || spec.alertmanager->base.empty());
    const Result<void> added = AddAlertmanager(spec, rules, inputs, artefacts);
    if (!added.ok()) return added.error();
  }
  if (spec.output.dashboards) {
    const fs::path folder = *spec.output.dashboards;
    artefacts.push_back({folder / (spec.store.name + ".json"), DashboardJson(spec, PlanDashboard(spec))});
    artefacts.push_back(
        {folder / (spec.store.name + ".fleet.json"), DashboardJson(spec, PlanFleetDashboard(spec))});
  }
  if (spec.output.docs) {
    const std::string stem = (fs::path(*spec.output.docs) / spec.store.name).generic_string();
    artefacts.push_back({stem + ".decision-matrix.md", DecisionMatrixMarkdown(spec)});
    artefacts.push_back({stem + ".metrics.md", MetricsMarkdown(spec)});
    artefacts.push_back({stem + ".runbook.md", RunbookMarkdown(spec, rules)});
  }
  return artefacts;
}

}  // namespace outgrown::artefacts
