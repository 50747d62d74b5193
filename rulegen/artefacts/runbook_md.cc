// The runbook: one section for each alert, under the anchor that the alert's annotation leads to.
#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "common/check.h"
#include "common/duration.h"
#include "rulegen/artefacts/escape.h"
#include "rulegen/artefacts/markdown.h"
#include "rulegen/artefacts/markdown_docs.h"
#include "rulegen/artefacts/measurement.h"
#include "rulegen/artefacts/template.h"
#include "thresholds/names.h"

namespace outgrown::emit {
namespace {

// What a section says beside what the rule itself says.
struct Advice {
  std::string means;
  std::string look;
  std::string act;
};

std::string Line(std::string_view head, const std::string& text) {
  return text.empty() ? "" : "- **" + std::string(head) + "** " + MarkdownText(text) + "\n";
}

std::string Section(const plan::AlertRule& rule, const std::string& title, const Advice& advice) {
  std::string lasts = "At once.";
  if (rule.hold > Milliseconds(0)) lasts = "After " + FormatDuration(rule.hold) + ".";
  if (rule.keep_firing_for)
    lasts += " Keeps firing for " + FormatDuration(*rule.keep_firing_for) + " after it ended.";
  return "\n## " + rule.alert + "\n\n**" + MarkdownText(title) + "**\n\n" + Line("Means:", advice.means) +
         Line("Look at:", advice.look) + Line("Do:", advice.act) + Line("Fires:", lasts) + "\n" +
         MarkdownBlock("promql", rule.expr);
}

Advice AdviceOf(const spec::Spec& spec, const spec::Signal& signal, const spec::Threshold& threshold) {
  Advice advice{plan::ConditionText(signal, threshold) + ". " + signal.description, threshold.look,
                threshold.act};
  if (!advice.look.empty() || !advice.act.empty()) return advice;
  advice.look = "how " + spec::RecordedSeries(spec.store, signal.id) + " moved, and what it is made of (" +
                spec.store.name + ".metrics.md).";
  advice.act = "Find out what changed. If it stays so, plan the move to " + spec.store.next + ".";
  return advice;
}

}  // namespace

std::string RunbookMarkdown(const spec::Spec& spec, const plan::RuleFile& rules) {
  std::unordered_map<std::string, std::pair<std::string, Advice>> about;
  const plan::SignalIndex signals(spec);
  for (const spec::Threshold& threshold : spec.thresholds) {
    about[spec::AlertName(spec.store, threshold.id)] = {plan::VerdictLine(spec, threshold),
                                                        AdviceOf(spec, signals[threshold.signal], threshold)};
  }
  for (const plan::MeasurementAlert& planned : plan::PlanMeasurement(spec)) {
    about[spec::AlertName(spec.store, planned.id)] = {planned.summary,
                                                      {planned.means, planned.look, planned.act}};
  }
  std::string text =
      MarkdownHead(spec, spec.store.title + ": runbook") +
      "\nOne section for each alert. For the verdict with all its reasons run `rulegen --evaluate`; which "
      "thresholds there are shows the [decision matrix](" +
      spec.store.name + ".decision-matrix.md).\n";
  for (const plan::RuleGroup& group : rules.groups) {
    for (const plan::Rule& rule : group.rules) {
      const auto* alert = std::get_if<plan::AlertRule>(&rule);
      if (alert == nullptr) continue;
      const auto found = about.find(alert->alert);
      OUTGROWN_CHECK(found != about.end());
      text += Section(*alert, found->second.first, found->second.second);
    }
  }
  return text;
}

}  // namespace outgrown::emit
