#include "rulegen/artefacts/documents.h"

#include <algorithm>
#include <cstddef>
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
#include "rulegen/artefacts/rules.h"
#include "thresholds/catalog.h"
#include "thresholds/names.h"
#include "thresholds/placeholders.h"
#include "thresholds/promql.h"

namespace outgrown::artefacts {
namespace {

// The mark as a comment, the title as the first heading.
std::string MarkdownHead(const spec::Spec& spec, std::string_view title) {
  return "<!-- " + spec::GeneratedMark(spec) + " -->\n\n# " + MarkdownText(title) + "\n";
}

// A fenced block of code, whatever is in it.
// CommonMark closes a fence by a line of at least as many backticks, and a fence has at least three.
std::string MarkdownBlock(std::string_view language, std::string_view code) {
  std::size_t longest = 2;
  std::size_t run = 0;
  for (const char c : code) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string fence(longest + 1, '`');
  return fence + std::string(language) + "\n" + std::string(code) + "\n" + fence + "\n";
}

// The decision matrix: which measurement gives which verdict.

std::string Link(const spec::Spec& spec, const std::string& alert) {
  const std::string anchor = "#" + spec::RunbookAnchor(alert);
  return "[" + MarkdownText(alert) + "](" + spec.store.name + ".runbook.md" + anchor + ")";
}

// The thresholds of the verdict with that index, in the order of the spec.
// That is the order of the decision too: of one verdict the first breached threshold gives the justification.
void AddRows(const spec::Spec& spec, const SignalIndex& signals, std::size_t verdict,
             std::vector<std::vector<std::string>>& rows) {
  for (const spec::Threshold& threshold : spec.thresholds) {
    if (threshold.verdict != spec.verdicts[verdict].id) continue;
    rows.push_back({"**" + MarkdownText(spec.verdicts[verdict].text) + "**", MarkdownText(threshold.because),
                    MarkdownText(ConditionText(signals[threshold.signal], threshold)),
                    Link(spec, spec::AlertName(spec.store, threshold.id))});
  }
}

std::string Titles(const spec::Spec& spec, const std::vector<std::string>& signals) {
  std::string text;
  for (const spec::Signal& signal : spec.signals) {
    if (std::ranges::count(signals, signal.id) == 0) continue;
    text += (text.empty() ? "" : ", ") + MarkdownText(signal.title);
  }
  return text.empty() ? "none" : text;
}

std::string Coverage(const spec::Spec& spec) {
  const spec::Coverage& coverage = *spec.coverage;
  std::string text =
      "\n## When the counting is incomplete\n\n" + MarkdownCode(spec::CoverageSeries(spec.store)) +
      " is the share of the store's own commits that the application's counting saw. Below " +
      MarkdownText(Humanize(coverage.minimum, Unit::kRatio)) +
      ", or without it:\n\n- unknown: " + Titles(spec, coverage.unknown) +
      "\n- a lower bound, so that a breach is proven and anything else is unknown: " +
      Titles(spec, coverage.lower_bound) + "\n\nAbove " +
      MarkdownText(Humanize(coverage.maximum, Unit::kRatio)) +
      " more was counted than the store has seen:\n\n- unknown: " + Titles(spec, coverage.unknown) +
      "\n- valid, since it is computed from the store's own commits then: " +
      Titles(spec, coverage.lower_bound) + "\n";
  if (coverage.reasons.empty()) return text;
  std::vector<std::vector<std::string>> rows;
  for (const auto& [reason, sentence] : coverage.reasons)
    rows.push_back({MarkdownCode(reason), MarkdownText(sentence)});
  return text + "\n" + MarkdownCode(spec::ReasonSeries(spec.store)) +
         " says why. While it has a sample, the verdict is **UNDETERMINED** with that sentence:\n\n" +
         MarkdownTable({"reason", "the verdict line reads"}, rows);
}

// The metric reference: every series that a spec records, reads or declares.

using Rows = std::vector<std::vector<std::string>>;

std::string_view UnitText(Unit unit) {
  switch (unit) {
    case Unit::kRatio:
      return "ratio, 0 to 1";
    case Unit::kPerSecond:
      return "per second";
    case Unit::kSeconds:
      return "seconds";
    case Unit::kBytes:
      return "bytes";
    case Unit::kCount:
      return "count";
  }
  return "";
}

template <typename Labels>
std::string LabelList(const Labels& labels) {
  std::string text;
  for (const auto& label : labels) text += (text.empty() ? "" : ", ") + MarkdownCode(label);
  return text;
}

// What each series is and how it is computed.
// The expressions follow the table as blocks, since a table's cell holds no line break.
std::string RecordedSection(const spec::Spec& spec) {
  Rows rows;
  std::string expressions;
  const auto add = [&](const std::string& series, std::string_view unit, const std::string& what,
                       const std::string& expr) {
    rows.push_back({MarkdownCode(series), std::string(unit), MarkdownText(what)});
    expressions +=
        "\n" + MarkdownCode(series) + "\n\n" + MarkdownBlock("promql", spec::CanonicalPromql(expr));
  };
  for (const spec::Signal& signal : spec.signals) {
    add(spec::RecordedSeries(spec.store, signal.id), UnitText(signal.unit), signal.description, signal.expr);
    if (signal.split.empty()) continue;
    add(spec::SplitSeries(spec.store, signal.id), UnitText(signal.unit),
        "The same by reason, for display: no alert and no decision uses it.", signal.split);
  }
  if (spec.coverage) {
    add(spec::CoverageSeries(spec.store), UnitText(Unit::kRatio),
        "Share of the store's own commits that the application's counting saw.", spec.coverage->expr);
    if (!spec.coverage->reason.empty())
      add(spec::ReasonSeries(spec.store), "1", "Why the counting is not evidence, by the label reason.",
          spec.coverage->reason);
  }
  std::string remembered;
  for (const spec::Watch& watch : spec.watches) {
    if (watch.is_alert()) continue;
    // As in the rule file, so that a reader can search for it there.
    const std::string expr = spec::CanonicalPromql(spec::FillPlaceholders(watch.expr, spec));
    remembered += "\n" + MarkdownCode(spec::RecordedSeries(spec.store, watch.record)) + ", every " +
                  FormatDuration(watch.interval) + "\n\n" + MarkdownBlock("promql", expr);
  }
  if (!remembered.empty())
    expressions += "\nRecorded as the memory of the alerts about the measurement:\n" + remembered;
  return "\n## Recorded series\n\nPrometheus computes them from the series below, each with the labels " +
         LabelList(spec.store.identity) + ".\n\n" + MarkdownTable({"series", "unit", "what"}, rows) +
         expressions;
}

std::string Exporter() {
  Rows rows;
  for (const metrics::Metric& metric : metrics::Catalog()) {
    rows.push_back({MarkdownCode(metric.name), std::string(metrics::TypeName(metric.type)),
                    LabelList(metric.labels), MarkdownText(metric.help)});
  }
  return "\n## Series of the exporter\n\nBeside these labels each has `job` and `instance` from "
         "Prometheus.\n\n" +
         MarkdownTable({"series", "type", "labels", "what"}, rows);
}

std::string Foreign(const spec::Spec& spec) {
  Rows rows;
  for (const spec::Metric& metric : spec.metrics) {
    rows.push_back({MarkdownCode(metric.name), MarkdownText(metric.type), LabelList(metric.labels),
                    MarkdownText(metric.help)});
  }
  return "\n## Series of other exporters\n\nBeside these labels each has " + LabelList(spec.store.identity) +
         ".\n\n" + MarkdownTable({"series", "type", "labels", "what"}, rows);
}

// The runbook: one section for each alert, under the anchor that the alert's annotation leads to.

// The texts of a section; the rule itself gives the rest.
struct Advice {
  std::string means;
  std::string look;
  std::string act;
  std::vector<std::pair<std::string, std::string>>
      by_reason;  // what else to do, by what the signal is made of
};

std::string Line(std::string_view head, const std::string& text) {
  return text.empty() ? "" : "- **" + std::string(head) + "** " + MarkdownText(text) + "\n";
}

std::string Section(const AlertRule& rule, const std::string& title, const Advice& advice) {
  std::string lasts = "At once.";
  if (rule.hold > Milliseconds(0)) lasts = "After " + FormatDuration(rule.hold) + ".";
  if (rule.keep_firing_for)
    lasts += " Keeps firing for " + FormatDuration(*rule.keep_firing_for) + " after it ended.";
  std::string by_reason;
  for (const auto& [reason, sentence] : advice.by_reason)
    by_reason += "  - mostly " + MarkdownCode(reason) + ": " + MarkdownText(sentence) + "\n";
  return "\n## " + rule.alert + "\n\n**" + MarkdownText(title) + "**\n\n" + Line("Means:", advice.means) +
         Line("Look at:", advice.look) + Line("Do:", advice.act) + by_reason + Line("Fires:", lasts) + "\n" +
         MarkdownBlock("promql", rule.expr);
}

// A section without advice would leave the person on call with a number only; the fallback names a place to
// look and what a lasting breach means.
Advice AdviceOf(const spec::Spec& spec, const spec::Signal& signal, const spec::Threshold& threshold) {
  Advice advice{ConditionText(signal, threshold) + ". " + signal.description, threshold.look, threshold.act,
                signal.advice};
  if (!advice.look.empty() || !advice.act.empty()) return advice;
  advice.look = "how " + spec::RecordedSeries(spec.store, signal.id) + " moved, and what it is made of (" +
                spec.store.name + ".metrics.md).";
  advice.act = "Find out what changed. If it does not go back, plan the move to " + spec.store.next + ".";
  return advice;
}

}  // namespace

std::string MarkdownTable(const std::vector<std::string>& heads,
                          const std::vector<std::vector<std::string>>& rows) {
  const auto line = [](const std::vector<std::string>& cells) {
    std::string text = "|";
    for (const std::string& cell : cells) text += " " + cell + " |";
    return text + "\n";
  };
  std::string text = line(heads) + "|";
  for (std::size_t i = 0; i < heads.size(); ++i) text += "---|";
  text += "\n";
  for (const std::vector<std::string>& row : rows) text += line(row);
  return text;
}

std::string DecisionMatrixMarkdown(const spec::Spec& spec) {
  std::vector<std::vector<std::string>> rows;
  const SignalIndex signals(spec);
  // Most severe first, as a decision looks for them; a spec lists its verdicts from mild to severe.
  for (std::size_t i = spec.verdicts.size(); i-- > 0;) AddRows(spec, signals, i, rows);
  std::string text =
      MarkdownHead(spec, spec.store.title + ": decision matrix") +
      "\nThe verdict is the most severe one among the breached thresholds; the first of them in this order "
      "gives "
      "the justification. A threshold is breached when its condition held at every evaluation (each " +
      FormatDuration(spec.rules.interval) + ") for as long as it says.\n\n" +
      MarkdownTable({"verdict", "because", "when", "alert"}, rows) + "\n";
  text += "- None breached and everything measured: **" + MarkdownText(spec.store.sufficient) + "**.\n";
  text += "- None breached and something not measured: **UNDETERMINED**, never sufficient.\n";
  text += "- What to move to: " + MarkdownText(spec.store.next) + ".\n\n";
  std::vector<std::vector<std::string>> codes;
  for (const spec::Verdict& verdict : spec.verdicts) {
    codes.push_back(
        {MarkdownText(verdict.text), MarkdownCode(verdict.severity), std::to_string(verdict.exit_code)});
  }
  text += MarkdownTable({"verdict", "alert severity", "status of `--evaluate --exit-code`"}, codes);
  std::vector<std::string> shown;
  for (const spec::Signal& signal : spec.signals) {
    if (std::ranges::count(spec.thresholds, signal.id, &spec::Threshold::signal) == 0)
      shown.push_back(signal.id);
  }
  if (!shown.empty()) text += "\nShown beside the verdict, and not judged: " + Titles(spec, shown) + ".\n";
  if (spec.coverage) text += Coverage(spec);
  return text;
}

std::string MetricsMarkdown(const spec::Spec& spec) {
  std::string text = MarkdownHead(spec, spec.store.title + ": metrics") + RecordedSection(spec);
  if (!spec.metrics.empty()) text += Foreign(spec);
  // A spec whose stores are found by a series of our exporter reads that exporter; others have [[metric]]
  // tables instead.
  if (metrics::Find(spec.store.present) != nullptr) text += Exporter();
  return text;
}

std::string RunbookMarkdown(const spec::Spec& spec, const RuleFile& rules) {
  std::unordered_map<std::string, std::pair<std::string, Advice>> about;
  const SignalIndex signals(spec);
  for (const spec::Threshold& threshold : spec.thresholds) {
    about[spec::AlertName(spec.store, threshold.id)] = {VerdictLine(spec, threshold),
                                                        AdviceOf(spec, signals[threshold.signal], threshold)};
  }
  for (const spec::Watch& watch : spec.watches) {
    if (!watch.is_alert()) continue;
    about[spec::AlertName(spec.store, watch.id)] = {watch.summary,
                                                    {watch.description, watch.look, watch.act, {}}};
  }
  std::string text =
      MarkdownHead(spec, spec.store.title + ": runbook") +
      "\nOne section for each alert. For the verdict with all its reasons run `rulegen --evaluate`; the "
      "[decision matrix](" +
      spec.store.name + ".decision-matrix.md) lists the thresholds.\n";
  for (const RuleGroup& group : rules.groups) {
    for (const Rule& rule : group.rules) {
      const auto* alert = std::get_if<AlertRule>(&rule);
      if (alert == nullptr) continue;
      const auto found = about.find(alert->alert);
      // PlanRules makes alerts of thresholds and watches only.
      OUTGROWN_CHECK(found != about.end());
      text += Section(*alert, found->second.first, found->second.second);
    }
  }
  return text;
}

}  // namespace outgrown::artefacts
