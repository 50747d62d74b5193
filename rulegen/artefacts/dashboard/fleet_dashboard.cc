#include "rulegen/artefacts/dashboard/fleet_dashboard.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "common/text.h"
#include "rulegen/artefacts/dashboard/panel_grid.h"
#include "rulegen/artefacts/dashboard/panel_parts.h"
#include "rulegen/artefacts/dashboard/table_json.h"
#include "rulegen/artefacts/rules.h"
#include "thresholds/names.h"

namespace outgrown::artefacts {
namespace {

constexpr int kCountsHeight = 6;
constexpr int kTableHeight = 24;  // some twenty rows; the table scrolls
constexpr int kVerdictWidth = 130;
constexpr int kNarrow = 75;

class FleetPlanner {
 public:
  explicit FleetPlanner(const spec::Spec& spec) : spec_(spec) {}

  Dashboard Plan() {
    Dashboard dashboard;
    dashboard.uid = DashboardUid(spec_, kFleetSuffix);
    dashboard.title = spec_.store.title + ": all stores";
    dashboard.tags = {"outgrown", spec_.store.name};
    AddRunbook(spec_, dashboard);
    dashboard.variables = StoreVariables(spec_);
    PanelGrid grid;
    grid.Add(Counts());
    grid.Add(History());
    grid.Add(Stores());
    dashboard.panels = grid.Take();
    return dashboard;
  }

 private:
  Panel Counts() const {
    Panel panel;
    panel.kind = PanelKind::kStat;
    panel.title = "Stores by verdict";
    panel.description = "How many stores have which verdict now.";
    panel.width = 10;
    panel.height = kCountsHeight;
    panel.queries = {{"count_values(\"verdict\", " + VerdictExpr(spec_) + ")", "{{verdict}}", true}};
    for (const ValueText& text : VerdictTexts(spec_))
      panel.series_texts.push_back({ExactNumber(text.value), text.text, text.color});
    return panel;
  }

  // From the alerts alone, of which only few stores have any: the verdict of each of a thousand stores, at each instant of
  // the time shown, would take Prometheus several seconds.
  Panel History() const {
    Panel panel;
    panel.kind = PanelKind::kTimeSeries;
    panel.title = "Stores with a firing alert, by verdict";
    panel.description =
        "How many stores are beyond a limit for long enough, over the time shown. A store beyond limits of "
        "several "
        "verdicts counts for each.";
    panel.width = 14;
    panel.height = kCountsHeight;
    std::string names;
    for (const spec::Threshold& threshold : spec_.thresholds)
      names += (names.empty() ? "" : "|") + spec::AlertName(spec_.store, threshold.id);
    panel.queries = {
        {"count by (verdict) (max by (" + IdentityList(spec_) + ", verdict) (" + Firing(names) + "))",
         "{{verdict}}", false}};
    const std::vector<ValueText> texts = VerdictTexts(spec_);
    const std::size_t first = texts.size() - spec_.verdicts.size();  // behind "sufficient" and "undetermined"
    for (std::size_t i = 0; i < spec_.verdicts.size(); ++i)
      panel.series_texts.push_back({spec_.verdicts[i].id, spec_.verdicts[i].text, texts[first + i].color});
    panel.empty = "none reported";
    panel.decimals = 0;
    panel.min = 0;
    return panel;
  }

  std::string Firing(const std::string& alerts) const {
    return Selected(spec_, "ALERTS", "alertname=~\"" + alerts + "\",alertstate=\"firing\"");
  }

  // A query and the column of its values.
  void AddValue(Panel& panel, std::string expr, TableColumn column) const {
    column.field = "Value #" + RefId(panel.queries.size());
    panel.queries.push_back({std::move(expr), "", true});
    panel.columns.push_back(std::move(column));
  }

  Panel Stores() const {
    Panel panel;
    panel.kind = PanelKind::kTable;
    panel.title = "Stores";
    panel.description =
        "Every store, worst first: by verdict, then by the limit that it has used most of. A click on a "
        "verdict or a "
        "store leads to the store's own dashboard.";
    panel.width = kGridColumns;
    panel.height = kTableHeight;
    const std::string url = StoreUrl();
    AddValue(panel, VerdictExpr(spec_),
             {.title = "verdict",
              .texts = VerdictTexts(spec_),
              .filled = true,
              .width = kVerdictWidth,
              .url = url});
    for (auto label = spec_.store.identity.rbegin(); label != spec_.store.identity.rend(); ++label)
      panel.columns.push_back({.field = *label, .url = url});
    AddShares(panel);
    for (const spec::Signal& signal : spec_.signals) AddSignal(panel, signal);
    AddCoverage(panel);
    AddAlerts(panel);
    panel.sorted_by = {"verdict", "used"};
    panel.largest_first = true;
    return panel;
  }

  // The store's dashboard with the row's store chosen, and the time and data source that are shown here.
  std::string StoreUrl() const {
    std::string url = DashboardUrl(spec_) + "?var-datasource=${datasource}";
    for (const std::string& label : spec_.store.identity)
      url += "&var-" + label + "=${__data.fields." + label + ":percentencode}";
    return url + "&${__url_time_range}";
  }

  // Of each store the limit that it has used most of, and how much.
  void AddShares(Panel& panel) const {
    std::string shares;
    for (const spec::Threshold& threshold : spec_.thresholds) {
      const std::string share = ShareOfLimit(spec_, threshold);
      if (share.empty()) continue;
      shares += (shares.empty() ? "" : "\nor ") + ("label_replace(" + ByStore(spec_) + "(" + share) +
                "), \"threshold\", \"" + threshold.id + "\", \"\", \"\")";
    }
    if (shares.empty()) return;
    panel.columns.push_back(
        {.field = "threshold", .title = "most used limit", .width = ThresholdWidth(spec_)});
    AddValue(panel, "topk by (" + IdentityList(spec_) + ") (1,\n" + shares + ")",
             {.title = "used",
              .unit = "percentunit",
              .decimals = 0,
              .steps = {{{}, "green"}, {0.8, "orange"}, {JustAbove(1), "red"}},
              .width = kNarrow});
  }

  void AddSignal(Panel& panel, const spec::Signal& signal) const {
    if (std::ranges::count(spec_.thresholds, signal.id, &spec::Threshold::signal) == 0) return;
    AddValue(
        panel,
        ByStore(spec_) + "(" + Selected(spec_, spec::RecordedSeries(spec_.store, signal.id)) +
            " > -Inf < +Inf)",
        {.title = signal.title, .unit = GrafanaUnit(signal.unit), .steps = LimitSteps(spec_, signal.id)});
  }

  void AddCoverage(Panel& panel) const {
    if (!spec_.coverage) return;
    AddValue(panel, ByStore(spec_) + "(" + Selected(spec_, spec::CoverageSeries(spec_.store)) + ")",
             {.title = "coverage",
              .unit = "percentunit",
              .decimals = 0,
              .steps = CoverageSteps(*spec_.coverage, "green"),
              .width = kValueWidth});
    if (spec_.coverage->reason.empty()) return;
    // One reason of those that a store may have, so that it stays one row.
    AddValue(panel,
             "topk by (" + IdentityList(spec_) + ") (1, max by (" + IdentityList(spec_) + ", reason) (" +
                 Selected(spec_, spec::ReasonSeries(spec_.store)) + "))",
             {});
    const std::string field = panel.columns.back().field;
    panel.columns.back() = {.field = "reason", .title = "no evidence"};
    panel.hidden_columns.push_back(field);
  }

  // The alerts that are no verdict: on the measurement, and on what is no reason to migrate.
  void AddAlerts(Panel& panel) const {
    std::string names;
    for (const spec::Watch& watch : spec_.watches) {
      if (watch.is_alert()) names += (names.empty() ? "" : "|") + spec::AlertName(spec_.store, watch.id);
    }
    if (names.empty()) return;
    AddValue(panel, "count by (" + IdentityList(spec_) + ") (" + Firing(names) + ")",
             {.title = "alerts", .decimals = 0, .steps = {{{}, "orange"}}, .width = kNarrow});
  }

  const spec::Spec& spec_;
};

}  // namespace

Dashboard PlanFleetDashboard(const spec::Spec& spec) { return FleetPlanner(spec).Plan(); }

}  // namespace outgrown::artefacts
