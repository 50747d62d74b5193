#include "rulegen/artefacts/rules_yaml.h"

#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "common/duration.h"
#include "rulegen/artefacts/escape.h"
#include "rulegen/artefacts/node.h"
#include "thresholds/mark.h"

namespace outgrown::emit {
namespace {

// The template function that prints a value in its unit, and what stands behind it; plan::Humanize predicts
// both.
std::string HumanAction(Unit unit) {
  switch (unit) {
    case Unit::kRatio:
      return "{{ $value | humanizePercentage }}";
    case Unit::kPerSecond:
      return "{{ $value | humanize }}/s";
    case Unit::kSeconds:
      return "{{ $value | humanizeDuration }}";
    case Unit::kBytes:
      return "{{ $value | humanize1024 }}B";
    case Unit::kCount:
      return "{{ $value | humanize }}";
  }
  return "{{ $value }}";
}

Node DurationNode(Milliseconds duration) { return Node::Raw(FormatDuration(duration)); }

Node RecordingNode(const plan::RecordingRule& rule) {
  return Node::Of(Node::Map{{"record", Node::String(rule.record)}, {"expr", Node::String(rule.expr)}});
}

Node AlertNode(const plan::AlertRule& rule, spec::Flavor flavor) {
  Node::Map labels;
  for (const plan::Pair& label : rule.labels)
    labels.emplace_back(label.name, Node::String(GoTemplateText(label.value)));
  Node::Map annotations;
  for (const plan::Annotation& annotation : rule.annotations) {
    annotations.emplace_back(annotation.name, Node::String(GoTemplate(annotation.text)));
  }
  Node::Map entries = {{"alert", Node::String(rule.alert)}, {"expr", Node::String(rule.expr)}};
  if (rule.hold > Milliseconds(0)) entries.emplace_back("for", DurationNode(rule.hold));
  if (rule.keep_firing_for && flavor == spec::Flavor::kPrometheus) {
    entries.emplace_back("keep_firing_for", DurationNode(*rule.keep_firing_for));
  }
  entries.emplace_back("labels", Node::Of(std::move(labels)));
  entries.emplace_back("annotations", Node::Of(std::move(annotations)));
  return Node::Of(std::move(entries));
}

}  // namespace

std::string GoTemplate(const plan::Template& parts) {
  std::string literal;
  std::string text;
  for (const auto& part : parts) {
    if (const auto* more = std::get_if<plan::Literal>(&part)) {
      literal += more->text;
      continue;
    }
    text += GoTemplateText(literal);
    literal.clear();
    if (const auto* label = std::get_if<plan::LabelValue>(&part))
      text += "{{ $labels." + label->label + " }}";
    if (const auto* value = std::get_if<plan::HumanValue>(&part)) text += HumanAction(value->unit);
  }
  return text + GoTemplateText(literal);
}

std::string RulesYaml(const spec::Spec& spec, const plan::RuleFile& rules, spec::Flavor flavor) {
  Node::List groups;
  for (const plan::RuleGroup& group : rules.groups) {
    Node::List items;
    for (const plan::Rule& rule : group.rules) {
      const auto* recording = std::get_if<plan::RecordingRule>(&rule);
      items.push_back(recording != nullptr ? RecordingNode(*recording)
                                           : AlertNode(std::get<plan::AlertRule>(rule), flavor));
    }
    groups.push_back(Node::Of(Node::Map{{"name", Node::String(group.name)},
                                        {"interval", DurationNode(group.interval)},
                                        {"rules", Node::Of(std::move(items))}}));
  }
  return "# " + GeneratedMark(spec) + "\n" +
         ToYaml(Node::Of(Node::Map{{"groups", Node::Of(std::move(groups))}}));
}

}  // namespace outgrown::emit
