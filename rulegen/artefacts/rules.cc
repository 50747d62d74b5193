#include "rulegen/artefacts/rules.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "common/check.h"
#include "common/time_text.h"
#include "rulegen/artefacts/annotation.h"
#include "rulegen/artefacts/escape.h"
#include "rulegen/artefacts/node.h"
#include "thresholds/names.h"
#include "thresholds/placeholders.h"
#include "thresholds/promql.h"

namespace outgrown::artefacts {

namespace {

// A recording rule with the alerts on it. They must stay in one group: its rules are evaluated in order, so
// that an alert reads the sample that was recorded just before, with the same timestamp.
using Block = std::vector<Rule>;

// A validated spec's thresholds name existing verdicts.
const spec::Verdict& VerdictOf(const spec::Spec& spec, std::string_view id) {
  for (const spec::Verdict& verdict : spec.verdicts) {
    if (verdict.id == id) return verdict;
  }
  OUTGROWN_CHECK(false);
}

void Append(Template& text, const std::string& literal) { text.emplace_back(Literal{literal}); }

// " Store: job=..., instance=..., database=...": which store, from the alert's own labels.
// As a template, so that one rule serves all stores.
void AppendStore(Template& text, const std::vector<std::string>& labels) {
  if (labels.empty()) return;
  std::string_view separator = " Store: ";
  for (const std::string& label : labels) {
    Append(text, std::string(separator) + label + "=");
    text.emplace_back(LabelValue{label});
    separator = ", ";
  }
  Append(text, ".");
}

void AddRunbookUrl(const spec::Spec& spec, AlertRule& alert) {
  if (spec.rules.runbook_url.empty()) return;
  const std::string url = spec.rules.runbook_url + "#" + spec::RunbookAnchor(alert.alert);
  alert.annotations.push_back({"runbook_url", {Literal{url}}});
}

AlertRule ThresholdAlert(const spec::Spec& spec, const spec::Signal& signal,
                         const spec::Threshold& threshold) {
  const spec::Verdict& verdict = VerdictOf(spec, threshold.verdict);
  const bool above = threshold.direction == Direction::kAbove;
  AlertRule alert;
  alert.alert = spec::AlertName(spec.store, threshold.id);
  // A value that isn't finite is unknown to the decision, so the alert must not fire on it either.
  alert.expr = spec::RecordedSeries(spec.store, signal.id) + (above ? " > " : " < ") +
               spec::PromqlNumber(threshold.limit) + (above ? " < +Inf" : " > -Inf");
  alert.hold = threshold.hold;
  // One value for all thresholds: a breach that comes and goes must not notify each time.
  alert.keep_firing_for = spec.rules.keep_firing_for;
  // Constants only: with a value or a digest in a label, every change of it would be a new alert.
  alert.labels = {{"severity", verdict.severity}, {"verdict", verdict.id}, {"threshold", threshold.id}};

  Template description;
  Append(description, signal.title + ": ");
  description.emplace_back(HumanValue{signal.unit});
  std::string limit = std::string(above ? ", more than the limit of " : ", less than the limit of ") +
                      Humanize(threshold.limit, signal.unit);
  if (threshold.hold > Milliseconds(0)) limit += " for " + FormatDuration(threshold.hold);
  Append(description, limit + ".");
  AppendStore(description, spec.store.identity);
  alert.annotations.push_back({"summary", {Literal{VerdictLine(spec, threshold)}}});
  alert.annotations.push_back({"description", std::move(description)});
  AddRunbookUrl(spec, alert);
  return alert;
}

Rule ToRule(const spec::Spec& spec, const spec::Watch& watch) {
  const std::string expr = spec::CanonicalPromql(spec::FillPlaceholders(watch.expr, spec));
  if (!watch.is_alert()) return RecordingRule{spec::RecordedSeries(spec.store, watch.record), expr};
  AlertRule alert;
  alert.alert = spec::AlertName(spec.store, watch.id);
  alert.expr = expr;
  alert.hold = watch.hold;
  alert.keep_firing_for = watch.keep_firing_for;
  alert.labels = {{"severity", watch.severity}};
  Template description;
  Append(description, watch.description);
  AppendStore(description, watch.labels);
  alert.annotations.push_back({"summary", {Literal{watch.summary}}});
  alert.annotations.push_back({"description", std::move(description)});
  AddRunbookUrl(spec, alert);
  return alert;
}

// In the order of the signals, with the thresholds of one signal in the order of the spec: the generated file
// changes where the spec changes and nowhere else.
std::vector<Block> SignalBlocks(const spec::Spec& spec) {
  std::unordered_map<std::string_view, std::vector<const spec::Threshold*>> by_signal;
  for (const spec::Threshold& threshold : spec.thresholds) by_signal[threshold.signal].push_back(&threshold);
  std::vector<Block> blocks;
  for (const spec::Signal& signal : spec.signals) {
    Block block;
    block.emplace_back(
        RecordingRule{spec::RecordedSeries(spec.store, signal.id), spec::CanonicalPromql(signal.expr)});
    if (!signal.split.empty()) {
      block.emplace_back(
          RecordingRule{spec::SplitSeries(spec.store, signal.id), spec::CanonicalPromql(signal.split)});
    }
    for (const spec::Threshold* threshold : by_signal[signal.id]) {
      block.emplace_back(ThresholdAlert(spec, signal, *threshold));
    }
    blocks.push_back(std::move(block));
  }
  return blocks;
}

// Fills one group after another: "NAME", "NAME-2", "NAME-3". Rulers such as Mimir's accept 20 rules in a
// group by default.
void Pack(std::vector<RuleGroup>& groups, const std::string& name, Milliseconds interval,
          std::vector<Block> blocks) {
  std::size_t count = 0;
  RuleGroup* group = nullptr;
  for (Block& block : blocks) {
    if (group == nullptr || group->rules.size() + block.size() > spec::kRulesPerGroupMax) {
      ++count;
      groups.push_back({count == 1 ? name : name + "-" + std::to_string(count), interval, {}});
      group = &groups.back();
    }
    group->rules.insert(group->rules.end(), std::make_move_iterator(block.begin()),
                        std::make_move_iterator(block.end()));
  }
}

}  // namespace

SignalIndex::SignalIndex(const spec::Spec& spec) {
  for (const spec::Signal& signal : spec.signals) signals_.emplace(signal.id, &signal);
}

const spec::Signal& SignalIndex::operator[](std::string_view id) const {
  const auto found = signals_.find(id);
  OUTGROWN_CHECK(found != signals_.end());
  return *found->second;
}

std::string IdentityList(const spec::Spec& spec) {
  std::string list;
  for (const std::string& label : spec.store.identity) list += (list.empty() ? "" : ", ") + label;
  return list;
}

std::string VerdictLine(const spec::Spec& spec, const spec::Threshold& threshold) {
  return VerdictOf(spec, threshold.verdict).text + " - " + threshold.because;
}

std::string GroupName(const spec::Spec& spec) { return std::string(kGroupPrefix) + spec.store.name; }

std::vector<std::string> GroupNames(const RuleFile& rules) {
  std::vector<std::string> names;
  names.reserve(rules.groups.size());
  for (const RuleGroup& group : rules.groups) names.push_back(group.name);
  return names;
}

RuleFile PlanRules(const spec::Spec& spec) {
  RuleFile file;
  std::vector<Block> decision = SignalBlocks(spec);
  // Coverage is recorded with the signals, so that a decision finds all of them at the same evaluation.
  if (spec.coverage) {
    Block coverage = {
        RecordingRule{spec::CoverageSeries(spec.store), spec::CanonicalPromql(spec.coverage->expr)}};
    if (!spec.coverage->reason.empty()) {
      coverage.emplace_back(
          RecordingRule{spec::ReasonSeries(spec.store), spec::CanonicalPromql(spec.coverage->reason)});
    }
    decision.insert(decision.begin(), std::move(coverage));
  }
  Pack(file.groups, GroupName(spec), spec.rules.interval, std::move(decision));

  std::vector<Milliseconds> intervals;  // in the order in which the watches name them
  std::map<Milliseconds, std::vector<Block>> watches;
  for (const spec::Watch& watch : spec.watches) {
    std::vector<Block>& blocks = watches[watch.interval];
    if (blocks.empty()) intervals.push_back(watch.interval);
    blocks.push_back({ToRule(spec, watch)});
  }
  for (const Milliseconds interval : intervals) {
    // Watches may be slower than the signals: what asks for a day of samples is not asked every 15 seconds.
    const std::string pace = interval == spec.rules.interval ? "" : "-" + FormatDuration(interval);
    Pack(file.groups, GroupName(spec) + "-measurement" + pace, interval, std::move(watches[interval]));
  }
  return file;
}

namespace {

Node RecordingNode(const RecordingRule& rule) {
  return Node::Of(Node::Map{{"record", Node::String(rule.record)}, {"expr", Node::String(rule.expr)}});
}

Node AlertNode(const AlertRule& rule, spec::Flavor flavor) {
  Node::Map labels;
  for (const Pair& label : rule.labels)
    labels.emplace_back(label.name, Node::String(GoTemplateText(label.value)));
  Node::Map annotations;
  for (const Annotation& annotation : rule.annotations) {
    annotations.emplace_back(annotation.name, Node::String(GoTemplate(annotation.text)));
  }
  Node::Map entries = {{"alert", Node::String(rule.alert)}, {"expr", Node::String(rule.expr)}};
  if (rule.hold > Milliseconds(0)) entries.emplace_back("for", Node::Duration(rule.hold));
  // A rule file that a server cannot load fails as a whole, so a key that a flavor lacks is left out.
  if (rule.keep_firing_for && flavor != spec::Flavor::kVictoriaMetrics179) {
    entries.emplace_back("keep_firing_for", Node::Duration(*rule.keep_firing_for));
  }
  entries.emplace_back("labels", Node::Of(std::move(labels)));
  entries.emplace_back("annotations", Node::Of(std::move(annotations)));
  return Node::Of(std::move(entries));
}

// The object's name in Kubernetes: letters, digits and "-", with a letter or digit at both ends.
std::string ObjectName(const spec::Spec& spec) {
  std::string name = "outgrown-" + spec.store.name + "-rules";
  std::ranges::replace(name, '_', '-');
  return name;
}

// A PrometheusRule. Source: the operator's example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml.
Node PrometheusRule(const spec::Spec& spec, Node rules) {
  Node::Map metadata = {{"name", Node::String(ObjectName(spec))}};
  Node::Map labels;
  for (const auto& [name, value] : spec.rules.object_labels) labels.emplace_back(name, Node::String(value));
  if (!labels.empty()) metadata.emplace_back("labels", Node::Of(std::move(labels)));
  return Node::Of(Node::Map{{"apiVersion", Node::String("monitoring.coreos.com/v1")},
                            {"kind", Node::String("PrometheusRule")},
                            {"metadata", Node::Of(std::move(metadata))},
                            {"spec", std::move(rules)}});
}

}  // namespace

std::string RulesYaml(const spec::Spec& spec, const RuleFile& rules, spec::Flavor flavor) {
  Node::List groups;
  for (const RuleGroup& group : rules.groups) {
    Node::List items;
    for (const Rule& rule : group.rules) {
      const auto* recording = std::get_if<RecordingRule>(&rule);
      items.push_back(recording != nullptr ? RecordingNode(*recording)
                                           : AlertNode(std::get<AlertRule>(rule), flavor));
    }
    groups.push_back(Node::Of(Node::Map{{"name", Node::String(group.name)},
                                        {"interval", Node::Duration(group.interval)},
                                        {"rules", Node::Of(std::move(items))}}));
  }
  Node file = Node::Of(Node::Map{{"groups", Node::Of(std::move(groups))}});
  const bool object = flavor == spec::Flavor::kPrometheusOperator;
  if (object) file = PrometheusRule(spec, std::move(file));
  const std::string text = "# " + spec::GeneratedMark(spec) + "\n" + ToYaml(file);
  return object && spec.rules.helm ? HelmText(text) : text;
}

}  // namespace outgrown::artefacts
