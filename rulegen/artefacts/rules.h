// Recording and alerting rules as structs: what every flavor's rule file, the promtool tests, Alertmanager's
// routes, the dashboards and the runbook are made from.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "common/time_text.h"
#include "rulegen/artefacts/annotation.h"
#include "thresholds/model.h"
#include "thresholds/table.h"

namespace outgrown::artefacts {

struct RecordingRule {
  std::string record;
  std::string expr;  // normalised PromQL (promql.h)
};

struct AlertRule {
  std::string alert;
  std::string expr;
  Milliseconds hold{0};
  std::optional<Milliseconds> keep_firing_for;
  std::vector<Pair> labels;
  std::vector<Annotation> annotations;
};

using Rule = std::variant<RecordingRule, AlertRule>;

struct RuleGroup {
  std::string name;
  Milliseconds interval{0};
  std::vector<Rule> rules;
};

struct RuleFile {
  std::vector<RuleGroup> groups;
};

// The rules of a spec: signals with the alerts on them, then what [[watch]] says, in groups by interval. A
// recording rule and its alerts are in one group in that order, at most spec::kRulesPerGroupMax in a group.
// Linear in the spec.
RuleFile PlanRules(const spec::Spec& spec);

// Looks signals up by their id.
class SignalIndex {
 public:
  explicit SignalIndex(const spec::Spec& spec);
  // Precondition: the spec has it.
  const spec::Signal& operator[](std::string_view id) const;

 private:
  std::unordered_map<std::string_view, const spec::Signal*> signals_;
};

// "outgrown-checkpoint": the first group of a spec's rules; the others' names are this, "-" and more.
inline constexpr std::string_view kGroupPrefix = "outgrown-";
std::string GroupName(const spec::Spec& spec);

// Of all its groups, in their order.
std::vector<std::string> GroupNames(const RuleFile& rules);

// "sum by (job, instance) " is how expressions keep the identity: "job, instance".
std::string IdentityList(const spec::Spec& spec);

// "VERDICT - because", word for word what --evaluate prints when that threshold alone is breached.
std::string VerdictLine(const spec::Spec& spec, const spec::Threshold& threshold);

// The rule file that Prometheus, Mimir, Thanos and vmalert load.
//
// The flavors differ in one key, since vmalert before 1.92 knows no keep_firing_for, and in what is around the groups: Prometheus'
// operator reads an object of Kubernetes.
std::string RulesYaml(const spec::Spec& spec, const RuleFile& rules, spec::Flavor flavor);

}  // namespace outgrown::artefacts
