#include "rulegen/artefacts/dashboard.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/digest.h"
#include "rulegen/artefacts/exporter_panels.h"
#include "rulegen/artefacts/limit_panels.h"
#include "rulegen/artefacts/panel_grid.h"
#include "rulegen/artefacts/rules.h"
#include "rulegen/artefacts/template.h"
#include "thresholds/names.h"
#include "thresholds/promql.h"

namespace outgrown::plan {
namespace {

constexpr std::size_t kUidLengthMax = 40;
class Planner {
 public:
  explicit Planner(const spec::Spec& spec) : spec_(spec), by_("max by (" + IdentityList(spec) + ") ") {
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
    AddExporterPanels(spec_, grid_);
    dashboard.panels = grid_.Take();
    return dashboard;
  }

 private:
  std::string Uid() const {
    std::string uid = "outgrown-" + spec_.store.name;
    if (uid.size() > kUidLengthMax) uid = "outgrown-" + Sha256Hex(spec_.store.name).substr(0, 16);
    return uid;
  }

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

  // 0 sufficient, 1 and up the verdicts, -1 undetermined: the most severe verdict with a firing alert; without one,
  // sufficient only where every signal is there and the counting is complete.
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
    for (const spec::Signal& signal : spec_.signals) expr += " and " + Recorded(signal.id);
    if (spec_.coverage) {
      expr += " and " + Selected(spec_, spec::CoverageSeries(spec_.store)) +
              " >= " + PromqlNumber(spec_.coverage->minimum);
    }
    return expr + ")\nor -1 + 0 * " + by_ + "(last_over_time(" + Selected(spec_, spec_.store.present) +
           "[1d2h]))";
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
        "What the firing alerts say. The decision itself, with its reasons, is rulegen --evaluate's.";
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
    now.queries = {{Recorded(signal.id), StoreLegend(spec_), false}};
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
      chart.soft_max = std::max(chart.soft_max.value_or(0), threshold->limit * 1.2);
    }
    grid_.Add(std::move(now));
    grid_.Add(std::move(chart));
  }

  // The thresholds as a table, beside the last signal where there is room.
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

}  // namespace outgrown::plan
