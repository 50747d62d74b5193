#include "rulegen/artefacts/dashboard/dashboard.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "rulegen/artefacts/annotation.h"
#include "rulegen/artefacts/dashboard/fleet_dashboard.h"
#include "rulegen/artefacts/dashboard/limit_panels.h"
#include "rulegen/artefacts/dashboard/panel_grid.h"
#include "rulegen/artefacts/dashboard/panel_parts.h"
#include "rulegen/artefacts/rules.h"
#include "thresholds/names.h"
#include "thresholds/placeholders.h"
#include "thresholds/promql.h"

namespace outgrown::artefacts {

namespace {

constexpr int kHeight = 8;

// The colour that the spec gives a legend or a text; "text" is Grafana's colour of none.
std::string ColorOf(const spec::DashboardPanel& panel, std::string_view name) {
  for (const auto& [named, color] : panel.colors) {
    if (named == name) return color;
  }
  return "text";
}

// A [[panel]], as the spec says it.
Panel SpecPanel(const spec::Spec& spec, const spec::DashboardPanel& from) {
  using Kind = spec::DashboardPanel::Kind;
  Panel panel;
  panel.kind = from.kind == Kind::kStates  ? PanelKind::kStateTimeline
               : from.kind == Kind::kTable ? PanelKind::kTable
                                           : PanelKind::kTimeSeries;
  panel.title = from.title;
  panel.description = from.description;
  panel.width = from.width;
  panel.height = kHeight;
  panel.unit = from.unit;
  panel.stacked = from.stacked;
  panel.empty = from.empty;
  for (const auto& [legend, query] : from.queries) {
    std::string expr = spec::FillPanelQuery(query, spec, Selection(spec)).text;
    panel.queries.push_back({std::move(expr), legend, from.kind == Kind::kTable});
  }
  if (from.kind == Kind::kChart) {
    panel.min = 0;
    for (const auto& [legend, color] : from.colors) panel.series_colors.push_back({legend, color});
  }
  for (const auto& [text, value] : from.texts) panel.texts.push_back({value, text, ColorOf(from, text)});
  if (from.kind == Kind::kTable) {
    for (const std::string& column : from.columns) panel.columns.push_back({.field = column});
    for (TableColumn& column : panel.columns) {
      if (!column.is_value()) continue;
      column.title = from.value_title;
      column.unit = from.unit;
      column.decimals = 0;
      column.steps = {{{}, "green"}};
      for (const auto& [color, value] : from.steps) column.steps.push_back({value, color});
      column.width = kValueWidth;
    }
    panel.sorted_by = {from.value_title};
  }
  return panel;
}

class Planner {
 public:
  explicit Planner(const spec::Spec& spec) : spec_(spec) {
    for (const spec::Threshold& threshold : spec.thresholds)
      thresholds_[threshold.signal].push_back(&threshold);
  }

  Dashboard Plan() {
    Dashboard dashboard;
    dashboard.uid = DashboardUid(spec_);
    dashboard.title = spec_.store.title;
    dashboard.tags = {"outgrown", spec_.store.name};
    dashboard.links = {{"All stores", DashboardUrl(spec_, kFleetSuffix), "Every store, worst first"}};
    AddRunbook(spec_, dashboard);
    dashboard.variables = StoreVariables(spec_);
    dashboard.annotation_expr = Selected(spec_, "ALERTS", "alertstate=\"firing\",threshold!=\"\"");
    AddVerdict();
    grid_.Row("Signals and their limits");
    for (const spec::Signal& signal : spec_.signals) AddSignal(signal);
    AddMatrix();
    if (spec_.coverage) AddCoverage(*spec_.coverage);
    for (const spec::DashboardPanel& panel : spec_.panels) {
      if (!panel.row.empty()) grid_.Row(panel.row);
      grid_.Add(SpecPanel(spec_, panel));
    }
    dashboard.panels = grid_.Take();
    return dashboard;
  }

 private:
  std::string Recorded(const std::string& signal) const {
    return Selected(spec_, spec::RecordedSeries(spec_.store, signal));
  }

  void AddVerdict() {
    Panel now;
    now.kind = PanelKind::kStat;
    now.title = "Verdict";
    now.description =
        "The verdict of the alerts that are firing. rulegen --evaluate gives the decision with its reasons.";
    now.width = 6;
    now.height = 6;
    now.queries = {{VerdictExpr(spec_), StoreLegend(spec_), true}};
    now.texts = VerdictTexts(spec_);
    grid_.Add(std::move(now));

    Panel history;
    history.kind = PanelKind::kStateTimeline;
    history.title = "Verdict over time";
    history.description = "The same, over the time shown.";
    history.width = 10;
    history.height = 6;
    history.queries = {{VerdictExpr(spec_), StoreLegend(spec_), false}};
    history.texts = VerdictTexts(spec_);
    grid_.Add(std::move(history));
    AddLimitPanels(spec_, grid_);
  }

  void AddSignal(const spec::Signal& signal) {
    const std::vector<const spec::Threshold*>& thresholds = thresholds_[signal.id];
    Panel now;
    now.kind = PanelKind::kStat;
    now.title = signal.title;
    now.description = signal.description;
    now.width = 4;
    now.height = 8;
    // A value that isn't finite is unknown, and has no colour.
    now.queries = {{Recorded(signal.id) + " > -Inf < +Inf", StoreLegend(spec_), false}};
    now.unit = GrafanaUnit(signal.unit);
    now.steps = LimitSteps(spec_, signal.id);

    Panel chart = now;
    chart.kind = PanelKind::kTimeSeries;
    chart.title = signal.title + LimitsText(signal, thresholds);
    chart.width = 8;
    chart.min = 0;
    chart.limit_lines = true;
    // Only what lies beyond a limit is shaded.
    for (ColorStep& step : chart.steps) {
      if (step.color == "green") step.color = "transparent";
    }
    for (const spec::Threshold* threshold : thresholds) {
      // A soft maximum: the axis shows every limit even if the values are small, and grows with the values.
      chart.soft_max = std::max(chart.soft_max.value_or(0), threshold->limit * 1.2);
    }
    grid_.Add(std::move(now));
    grid_.Add(std::move(chart));
  }

  Panel Chart(std::string title, std::string description, std::string expr, std::string legend) const {
    Panel panel;
    panel.kind = PanelKind::kTimeSeries;
    panel.title = std::move(title);
    panel.description = std::move(description);
    panel.width = 8;
    panel.height = kHeight;
    panel.queries = {{std::move(expr), std::move(legend), false}};
    panel.min = 0;
    return panel;
  }

  // What the verdict rests on.
  void AddCoverage(const spec::Coverage& coverage) {
    grid_.Row("Evidence");
    Panel chart = Chart("Coverage", "Share of the store's commits that the application's counting saw.",
                        Selected(spec_, spec::CoverageSeries(spec_.store)), StoreLegend(spec_));
    chart.width = kGridColumns / 2;
    chart.unit = "percentunit";
    chart.soft_max = coverage.maximum * 1.05;
    chart.steps = CoverageSteps(coverage, "transparent");
    chart.limit_lines = true;
    grid_.Add(std::move(chart));
    if (coverage.reason.empty()) return;
    Panel reasons;
    reasons.kind = PanelKind::kStateTimeline;
    reasons.title = "Why the counting is not evidence";
    reasons.description = "The reasons that make the verdict UNDETERMINED.";
    reasons.empty = "none reported";
    reasons.width = kGridColumns / 2;
    reasons.height = kHeight;
    reasons.queries = {
        {Selected(spec_, spec::ReasonSeries(spec_.store)), StoreLegend(spec_) + " {{reason}}", false}};
    reasons.texts = {{1, "unknown", "purple"}};
    grid_.Add(std::move(reasons));
  }

  // The thresholds as a table. A signal takes half of the grid, so with an odd number of them the other half
  // is free.
  void AddMatrix() {
    Panel panel;
    panel.kind = PanelKind::kText;
    panel.title = "Thresholds";
    panel.width = spec_.signals.size() % 2 == 1 ? kGridColumns / 2 : kGridColumns;
    panel.height = 8;
    const SignalIndex signals(spec_);
    for (const spec::Threshold& threshold : spec_.thresholds) {
      panel.rows.push_back(
          {VerdictLine(spec_, threshold), ConditionText(signals[threshold.signal], threshold)});
    }
    grid_.Add(std::move(panel));
  }

  // ", limits 80/s, 100/s"
  static std::string LimitsText(const spec::Signal& signal,
                                const std::vector<const spec::Threshold*>& thresholds) {
    std::vector<double> limits;
    limits.reserve(thresholds.size());
    for (const spec::Threshold* threshold : thresholds) limits.push_back(threshold->limit);
    std::ranges::sort(limits);
    std::string text;
    for (const double limit : limits) text += (text.empty() ? "" : ", ") + Humanize(limit, signal.unit);
    if (text.empty()) return "";
    return (limits.size() == 1 ? ", limit " : ", limits ") + text;
  }

  const spec::Spec& spec_;
  std::unordered_map<std::string_view, std::vector<const spec::Threshold*>> thresholds_;
  PanelGrid grid_;
};

}  // namespace

Dashboard PlanDashboard(const spec::Spec& spec) { return Planner(spec).Plan(); }

}  // namespace outgrown::artefacts
