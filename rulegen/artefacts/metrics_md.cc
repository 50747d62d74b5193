// The metric reference: every series that a spec records, reads or declares, as one page for people.
#include <string>
#include <string_view>
#include <vector>

#include "common/duration.h"
#include "rulegen/artefacts/escape.h"
#include "rulegen/artefacts/markdown.h"
#include "rulegen/artefacts/markdown_docs.h"
#include "rulegen/artefacts/presence.h"
#include "rulegen/artefacts/rules.h"
#include "thresholds/catalog.h"
#include "thresholds/names.h"
#include "thresholds/promql.h"

namespace outgrown::emit {
namespace {

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
std::string Recorded(const spec::Spec& spec) {
  Rows rows;
  std::string expressions;
  const auto add = [&](const std::string& series, std::string_view unit, const std::string& what,
                       const std::string& expr) {
    rows.push_back({MarkdownCode(series), std::string(unit), MarkdownText(what)});
    expressions +=
        "\n" + MarkdownCode(series) + "\n\n" + MarkdownBlock("promql", plan::CanonicalPromql(expr));
  };
  for (const spec::Signal& signal : spec.signals) {
    add(spec::RecordedSeries(spec.store, signal.id), UnitText(signal.unit), signal.description, signal.expr);
  }
  if (spec.coverage) {
    add(spec::CoverageSeries(spec.store), UnitText(Unit::kRatio),
        "Share of the store's own commits that the application's counting saw.", spec.coverage->expr);
  }
  std::string remembered;
  for (const plan::RecordingRule& rule : plan::PlanPresence(spec))
    remembered += "\n" + MarkdownCode(rule.record) + "\n\n" + MarkdownBlock("promql", rule.expr);
  expressions += "\nRecorded every " + FormatDuration(plan::PresenceInterval(spec)) +
                 ", for the alerts about the measurement to remember:\n" + remembered;
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

}  // namespace

std::string MetricsMarkdown(const spec::Spec& spec) {
  std::string text = MarkdownHead(spec, spec.store.title + ": metrics") + Recorded(spec);
  if (!spec.metrics.empty()) text += Foreign(spec);
  if (metrics::Find(spec.store.present) != nullptr) text += Exporter();
  return text;
}

}  // namespace outgrown::emit
