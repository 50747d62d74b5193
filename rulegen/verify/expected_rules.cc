#include "rulegen/verify/expected_rules.h"

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "rulegen/artefacts/escape.h"
#include "rulegen/artefacts/rules.h"

namespace outgrown::verify {
namespace {

Rule Expected(const plan::RecordingRule& planned) {
  Rule rule;
  rule.kind = RuleKind::kRecording;
  rule.name = planned.record;
  rule.expr = planned.expr;
  return rule;
}

Rule Expected(const plan::AlertRule& planned, spec::Flavor flavor) {
  Rule rule;
  rule.kind = RuleKind::kAlerting;
  rule.name = planned.alert;
  rule.expr = planned.expr;
  rule.hold = planned.hold;
  rule.keep_firing_for = Milliseconds(0);
  if (planned.keep_firing_for && flavor == spec::Flavor::kPrometheus) {
    rule.keep_firing_for = *planned.keep_firing_for;
  }
  for (const plan::Pair& label : planned.labels) rule.labels[label.name] = emit::GoTemplateText(label.value);
  for (const plan::Annotation& annotation : planned.annotations) {
    rule.annotations[annotation.name] = emit::GoTemplate(annotation.text);
  }
  return rule;
}

}  // namespace

std::vector<ExpectedGroup> ExpectedRules(const spec::Spec& spec, spec::Flavor flavor) {
  std::vector<ExpectedGroup> groups;
  for (const plan::RuleGroup& planned : plan::PlanRules(spec).groups) {
    ExpectedGroup group{planned.name, planned.interval, {}};
    for (const plan::Rule& rule : planned.rules) {
      const auto* recording = std::get_if<plan::RecordingRule>(&rule);
      group.rules.push_back(recording != nullptr ? Expected(*recording)
                                                 : Expected(std::get<plan::AlertRule>(rule), flavor));
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

bool IsOwnGroup(const spec::Spec& spec, std::string_view group) {
  const std::string own = plan::GroupName(spec);
  return group == own || group.starts_with(own + "-");
}

}  // namespace outgrown::verify
