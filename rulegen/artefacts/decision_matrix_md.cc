// The decision matrix: which measurement gives which verdict, as one page for people.
#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "common/duration.h"
#include "rulegen/artefacts/escape.h"
#include "rulegen/artefacts/markdown.h"
#include "rulegen/artefacts/markdown_docs.h"
#include "rulegen/artefacts/template.h"
#include "thresholds/names.h"

namespace outgrown::emit {
namespace {

std::string Link(const spec::Spec& spec, const std::string& alert) {
  const std::string anchor = "#" + spec::RunbookAnchor(alert);
  return "[" + MarkdownText(alert) + "](" + spec.store.name + ".runbook.md" + anchor + ")";
}

// The thresholds of the verdict with that index, in the order of the spec.
void AddRows(const spec::Spec& spec, const plan::SignalIndex& signals, std::size_t verdict,
             std::vector<std::vector<std::string>>& rows) {
  for (const spec::Threshold& threshold : spec.thresholds) {
    if (threshold.verdict != spec.verdicts[verdict].id) continue;
    rows.push_back({"**" + MarkdownText(spec.verdicts[verdict].text) + "**", MarkdownText(threshold.because),
                    MarkdownText(plan::ConditionText(signals[threshold.signal], threshold)),
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
  return "\n## When the counting is incomplete\n\n" + MarkdownCode(spec::CoverageSeries(spec.store)) +
         " is the share of the store's own commits that the application's counting saw. Below " +
         MarkdownText(plan::Humanize(coverage.minimum, Unit::kRatio)) +
         ", or without it:\n\n- unknown: " + Titles(spec, coverage.unknown) +
         "\n- too small at worst, so that a breach stands and anything else is unknown: " +
         Titles(spec, coverage.lower_bound) + "\n";
}

}  // namespace

std::string DecisionMatrixMarkdown(const spec::Spec& spec) {
  std::vector<std::vector<std::string>> rows;
  const plan::SignalIndex signals(spec);
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
  if (spec.coverage) text += Coverage(spec);
  return text;
}

}  // namespace outgrown::emit
