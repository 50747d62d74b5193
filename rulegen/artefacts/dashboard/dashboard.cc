#include "rulegen/artefacts/dashboard/dashboard.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/digest.h"
#include "common/horizons.h"
#include "common/time_text.h"
#include "rulegen/artefacts/annotation.h"
#include "rulegen/artefacts/dashboard/limit_panels.h"
#include "rulegen/artefacts/dashboard/panel_grid.h"
#include "rulegen/artefacts/rules.h"
#include "thresholds/names.h"
#include "thresholds/promql.h"
#include "thresholds/test_series.h"

namespace outgrown::artefacts {

namespace {

// Mild yellow to severe red, for the verdict with that index.
// Counted from the most severe: with two verdicts they are orange and red, with four the two mildest are both
// yellow.
std::string VerdictColor(const spec::Spec& spec, std::size_t index) {
  constexpr std::array<std::string_view, 3> kFromSevere = {"red", "orange", "yellow"};
  const std::size_t behind = spec.verdicts.size() - 1 - index;
  return std::string(kFromSevere[std::min(behind, kFromSevere.size() - 1)]);
}

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
    panel.decimals = 0;
    panel.columns = from.columns;
    panel.value_title = from.value_title;
    panel.steps = {{{}, "green"}};
    for (const auto& [color, value] : from.steps) panel.steps.push_back({value, color});
  }
  return panel;
}

constexpr std::size_t kUidLengthMax = 40;

class Planner {
 public:
  explicit Planner(const spec::Spec& spec) : spec_(spec), by_("max by (" + IdentityList(spec) + ") ") {
    // A spec lists its verdicts from mild to severe.
    for (std::size_t i = 0; i < spec.verdicts.size(); ++i) severity_[spec.verdicts[i].id] = i;
    for (const spec::Threshold& threshold : spec.thresholds)
      thresholds_[threshold.signal].push_back(&threshold);
  }

  Dashboard Plan() {
    Dashboard dashboard;
    dashboard.uid = Uid();
    dashboard.title = spec_.store.title;
    dashboard.tags = {"outgrown", spec_.store.name};
    dashboard.runbook_url = spec_.rules.runbook_url;
    dashboard.variables = Variables();
    dashboard.annotation_expr = Selected(spec_, "ALERTS", "alertstate=\"firing\",threshold!=\"\"");
    AddVerdict();
    grid_.Row("Signals and their limits");
    for (const spec::Signal& signal : spec_.signals) AddSignal(signal);
    AddMatrix();
    AddEvidence();
    for (const spec::DashboardPanel& panel : spec_.panels) {
      if (!panel.row.empty()) grid_.Row(panel.row);
      grid_.Add(SpecPanel(spec_, panel));
    }
    dashboard.panels = grid_.Take();
    return dashboard;
  }

 private:
  std::string Uid() const {
    std::string uid = "outgrown-" + spec_.store.name;
    // Grafana's limit is 40 characters. The uid depends on the store's name only, so that links to the
    // dashboard last.
    if (uid.size() > kUidLengthMax) uid = "outgrown-" + Sha256Hex(spec_.store.name).substr(0, 16);
    return uid;
  }

  // Each variable is narrowed by those before it, so that only combinations that exist can be chosen.
  std::vector<DashboardVariable> Variables() const {
    std::vector<DashboardVariable> variables;
    std::string narrowed;
    for (const std::string& label : spec_.store.identity) {
      const std::string of = spec_.store.present + (narrowed.empty() ? "" : "{" + narrowed + "}");
      variables.push_back({label, "label_values(" + of + ", " + label + ")"});
      narrowed += (narrowed.empty() ? "" : ",") + label + "=~\"$" + label + "\"";
    }
    return variables;
  }

  std::string Recorded(const std::string& signal) const {
    return Selected(spec_, spec::RecordedSeries(spec_.store, signal));
  }

  // 0 sufficient, 1 and up the verdicts, -1 undetermined: the most severe verdict with a firing alert;
  // without one, sufficient only where every signal is there and the counting is complete. From the alerts
  // and not from the values, since an alert also knows for how long its condition has held.
  std::string VerdictExpr() const {
    std::string expr;
    for (std::size_t i = spec_.verdicts.size(); i-- > 0;) {
      std::string alerts;
      for (const spec::Threshold& threshold : spec_.thresholds) {
        if (threshold.verdict != spec_.verdicts[i].id) continue;
        alerts += (alerts.empty() ? "" : "|") + spec::AlertName(spec_.store, threshold.id);
      }
      if (alerts.empty()) continue;
      expr += std::to_string(i + 1) + " * " + by_ + "(" +
              Selected(spec_, "ALERTS", "alertname=~\"" + alerts + "\",alertstate=\"firing\"") + ")\nor ";
    }
    expr += "0 * (" + by_ + "(" + Selected(spec_, spec_.store.present) + ")";
    for (const spec::Threshold& threshold : spec_.thresholds) {
      // "and" keeps a store for which the right side has a sample; abs() < +Inf drops NaN and both
      // infinities.
      const std::string known = " and abs(" + Recorded(threshold.signal) + ") < +Inf";
      if (expr.find(known) == std::string::npos) expr += known;
    }
    if (spec_.coverage) {
      expr += " and " + Selected(spec_, spec::CoverageSeries(spec_.store)) +
              " >= " + spec::PromqlNumber(spec_.coverage->minimum) +
              " <= " + spec::PromqlNumber(spec_.coverage->maximum);
      if (!spec_.coverage->reason.empty())
        expr +=
            " unless on (" + IdentityList(spec_) + ") " + Selected(spec_, spec::ReasonSeries(spec_.store));
    }
    // Undetermined is everything else that reported for as long as decisions remember a store.
    return expr + ")\nor -1 + 0 * " + by_ + "(last_over_time(" + Selected(spec_, spec_.store.present) + "[" +
           FormatDuration(Milliseconds(kLookbackMs)) + "]))";
  }

  std::vector<ValueText> VerdictTexts() const {
    std::vector<ValueText> texts = {{-1, "UNDETERMINED", "purple"}, {0, spec_.store.sufficient, "green"}};
    for (std::size_t i = 0; i < spec_.verdicts.size(); ++i) {
      texts.push_back({static_cast<double>(i + 1), spec_.verdicts[i].text, VerdictColor(spec_, i)});
    }
    return texts;
  }

  void AddVerdict() {
    Panel now;
    now.kind = PanelKind::kStat;
    now.title = "Verdict";
    now.description =
        "The verdict of the alerts that are firing. rulegen --evaluate gives the decision with its reasons.";
    now.width = 6;
    now.height = 6;
    now.queries = {{VerdictExpr(), StoreLegend(spec_), true}};
    now.texts = VerdictTexts();
    grid_.Add(std::move(now));

    Panel history;
    history.kind = PanelKind::kStateTimeline;
    history.title = "Verdict over time";
    history.description = "The same, over the time shown.";
    history.width = 10;
    history.height = 6;
    history.queries = {{VerdictExpr(), StoreLegend(spec_), false}};
    history.texts = VerdictTexts();
    grid_.Add(std::move(history));
    AddLimitPanels(spec_, grid_);
  }

  // Green within every limit; the colour of a verdict beyond its limit.
  std::vector<ColorStep> Steps(const std::vector<const spec::Threshold*>& thresholds) const {
    std::vector<const spec::Threshold*> above;
    std::vector<const spec::Threshold*> below;
    for (const spec::Threshold* threshold : thresholds) {
      (threshold->direction == Direction::kAbove ? above : below).push_back(threshold);
    }
    std::ranges::sort(above, {}, &spec::Threshold::limit);
    std::ranges::sort(below, {}, &spec::Threshold::limit);
    const auto color = [&](const spec::Threshold* threshold) {
      return VerdictColor(spec_, severity_.at(threshold->verdict));
    };
    // Ascending, as Grafana needs them: each step colours from its value up to the next. Below the least
    // lower limit that limit's verdict applies.
    std::vector<ColorStep> steps = {{{}, below.empty() ? "green" : color(below.front())}};
    for (std::size_t i = 0; i < below.size(); ++i) {
      steps.push_back({below[i]->limit, i + 1 < below.size() ? color(below[i + 1]) : "green"});
    }
    for (const spec::Threshold* threshold : above)
      steps.push_back({JustAbove(threshold->limit), color(threshold)});
    return steps;
  }

  static std::string GrafanaUnit(Unit unit) {
    switch (unit) {
      case Unit::kRatio:
        return "percentunit";
      case Unit::kPerSecond:
        return "ops";
      case Unit::kSeconds:
        return "s";
      case Unit::kBytes:
        return "bytes";
      case Unit::kCount:
        return "short";
    }
    return "short";
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
    now.steps = Steps(thresholds);

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

  // What the verdict rests on, and what the signals are made of.
  void AddEvidence() {
    const bool splits =
        std::ranges::any_of(spec_.signals, [](const auto& signal) { return !signal.split.empty(); });
    if (!spec_.coverage && !splits) return;
    grid_.Row("Evidence and causes");
    if (spec_.coverage) AddCoverage(*spec_.coverage);
    for (const spec::Signal& signal : spec_.signals) {
      if (signal.split.empty()) continue;
      const std::string series = Selected(spec_, spec::SplitSeries(spec_.store, signal.id));
      // Where nothing is split the shares are 0, not missing.
      // By share and not by value: the value is in the signal's own panel.
      Panel split = Chart(signal.title + " by reason", "What the signal is made of: each reason's share.",
                          fmt::format("sum by (reason) ({0}) / ignoring (reason) group_left () "
                                      "clamp_min(sum ({0}), 1e-9)",
                                      series),
                          "{{reason}}");
      split.unit = "percentunit";
      split.stacked = true;
      grid_.Add(std::move(split));
    }
  }

  void AddCoverage(const spec::Coverage& coverage) {
    Panel chart = Chart("Coverage", "Share of the store's commits that the application's counting saw.",
                        Selected(spec_, spec::CoverageSeries(spec_.store)), StoreLegend(spec_));
    chart.unit = "percentunit";
    chart.soft_max = coverage.maximum * 1.05;
    chart.steps = {{{}, "red"}, {coverage.minimum, "transparent"}, {JustAbove(coverage.maximum), "red"}};
    chart.limit_lines = true;
    grid_.Add(std::move(chart));
    if (coverage.reason.empty()) return;
    Panel reasons;
    reasons.kind = PanelKind::kStateTimeline;
    reasons.title = "Why the counting is not evidence";
    reasons.description = "The reasons that make the verdict UNDETERMINED; empty if there are none.";
    reasons.width = 8;
    reasons.height = kHeight;
    reasons.queries = {
        {Selected(spec_, spec::ReasonSeries(spec_.store)), "{{reason}} " + StoreLegend(spec_), false}};
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
  const std::string by_;
  std::unordered_map<std::string_view, std::size_t> severity_;
  std::unordered_map<std::string_view, std::vector<const spec::Threshold*>> thresholds_;
  PanelGrid grid_;
};

}  // namespace

Dashboard PlanDashboard(const spec::Spec& spec) { return Planner(spec).Plan(); }

}  // namespace outgrown::artefacts
