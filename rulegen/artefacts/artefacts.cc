#include "rulegen/artefacts/artefacts.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "common/file.h"
#include "common/time_text.h"
#include "rulegen/artefacts/alertmanager.h"
#include "rulegen/artefacts/dashboard.h"
#include "rulegen/artefacts/documents.h"
#include "rulegen/artefacts/other_specs.h"
#include "rulegen/artefacts/rule_tests.h"
#include "rulegen/artefacts/rules.h"
#include "thresholds/diagnostic.h"
#include "thresholds/spec_table.h"

namespace outgrown::generate {

namespace {

namespace fs = std::filesystem;

// The base where no Alertmanager configuration was supplied: the least that Alertmanager accepts.
const std::string kEmptyAlertmanager = "route:\n  receiver: default\nreceivers:\n  - name: default\n";

// Where the rule file of a flavor goes, from the folder of the rules.
fs::path RuleFile(const spec::Spec& spec, spec::Flavor flavor) {
  const std::string name = spec.store.name + ".rules.yml";
  return flavor == spec::Flavor::kPrometheus ? fs::path(name) : fs::path("victoriametrics") / name;
}

// The rule file that the tests are for: Prometheus' own if there is one.
fs::path TestedRuleFile(const spec::Spec& spec) {
  const bool prometheus = std::ranges::count(spec.rules.flavors, spec::Flavor::kPrometheus) > 0;
  return RuleFile(spec, prometheus ? spec::Flavor::kPrometheus : spec.rules.flavors.front());
}

void AddRules(const spec::Spec& spec, const plan::RuleFile& rules, std::vector<Artefact>& artefacts) {
  const fs::path folder = *spec.output.rules;
  for (const spec::Flavor flavor : spec.rules.flavors) {
    artefacts.push_back({folder / RuleFile(spec, flavor), emit::RulesYaml(spec, rules, flavor)});
  }
  for (plan::PromtoolFile& tests : plan::PlanTests(spec, rules)) {
    tests.rule_file = TestedRuleFile(spec).generic_string();
    const bool usual = tests.evaluation_interval == spec.rules.interval;
    const std::string pace = usual ? "" : "." + FormatDuration(tests.evaluation_interval);
    artefacts.push_back({folder / (spec.store.name + pace + ".test.yml"), emit::PromtoolYaml(spec, tests)});
  }
  artefacts.push_back({folder / (spec.store.name + ".thresholds.inc"), emit::ThresholdsInc(spec)});
}

std::string UnreadableBase(const spec::Spec& spec, const std::string& why) {
  return spec::FormatDiagnostic({spec.file, spec::PositionOf(spec.alertmanager->positions, "base"),
                                 "alertmanager.base",
                                 spec::Quoted(spec.alertmanager->base) + " (" + why + ")",
                                 "your Alertmanager configuration, from the spec's folder"});
}

// The folder of one file from the folder of another, by names alone. Both start at the spec's folder; its own name
// counts only where the other one lies beside or above it.
fs::path FolderFrom(const fs::path& file, const fs::path& from) {
  const auto folder = [](const fs::path& path) {
    std::error_code none;
    return fs::absolute(path, none).lexically_normal().parent_path();
  };
  return folder(file).lexically_relative(folder(from));
}

Result<void> AddAlertmanager(const spec::Spec& spec, const plan::RuleFile& rules,
                             std::vector<Artefact>& artefacts) {
  const fs::path folder = spec.file.parent_path();
  const fs::path base = folder / spec.alertmanager->base;
  Artefact made{fs::path(*spec.output.rules) / (spec.store.name + ".alertmanager.yml"), ""};
  std::string text = kEmptyAlertmanager;
  if (!spec.alertmanager->base.empty()) {
    if (IsSameFile(base, folder / made.path)) {
      return Error{"alertmanager.base names the file that is generated from it; name your own configuration",
                   base.string()};
    }
    Result<std::string> read = ReadFile(base);
    if (!read.ok()) return Error{UnreadableBase(spec, read.error().what), ""};
    text = std::move(*read);
    std::error_code none;
    // The base may hold receivers' secrets, which the merged file then holds too.
    made.mode_if_new = static_cast<unsigned>(fs::status(base, none).permissions()) & 0666U;
  }
  const AlsoSpecs also = LoadAlso(spec);
  if (!also.diagnostics.empty()) return Error{spec::FormatDiagnostic(also.diagnostics.front()), ""};
  std::vector<plan::Routing> routings = {plan::PlanRouting(spec, rules)};
  for (const spec::Spec& other : also.specs)
    routings.push_back(plan::PlanRouting(other, plan::PlanRules(other)));
  const fs::path base_folder =
      spec.alertmanager->base.empty() ? fs::path(".") : FolderFrom(base, folder / made.path);
  Result<std::string> merged = emit::AlertmanagerYaml(spec, routings, text, base.string(), base_folder);
  if (!merged.ok()) return merged.error();
  made.bytes = std::move(*merged);
  artefacts.push_back(std::move(made));
  return {};
}

}  // namespace

Result<std::vector<Artefact>> MakeArtefacts(const spec::Spec& spec) {
  std::vector<Artefact> artefacts;
  const plan::RuleFile rules = plan::PlanRules(spec);
  if (spec.output.rules) AddRules(spec, rules, artefacts);
  if (spec.output.rules && spec.alertmanager) {
    const Result<void> added = AddAlertmanager(spec, rules, artefacts);
    if (!added.ok()) return added.error();
  }
  if (spec.output.dashboards) {
    artefacts.push_back({fs::path(*spec.output.dashboards) / (spec.store.name + ".json"),
                         emit::DashboardJson(spec, plan::PlanDashboard(spec))});
  }
  if (spec.output.docs) {
    const std::string stem = (fs::path(*spec.output.docs) / spec.store.name).generic_string();
    artefacts.push_back({stem + ".decision-matrix.md", emit::DecisionMatrixMarkdown(spec)});
    artefacts.push_back({stem + ".metrics.md", emit::MetricsMarkdown(spec)});
    artefacts.push_back({stem + ".runbook.md", emit::RunbookMarkdown(spec, rules)});
  }
  return artefacts;
}

}  // namespace outgrown::generate
