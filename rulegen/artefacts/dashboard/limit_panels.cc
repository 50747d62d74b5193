#include "rulegen/artefacts/dashboard/limit_panels.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "common/horizons.h"
#include "rulegen/artefacts/annotation.h"
#include "rulegen/artefacts/rules.h"
#include "thresholds/names.h"
#include "thresholds/promql.h"

namespace outgrown::artefacts {
namespace {

// "No trend" as a number larger than any time shown, so that a table sorted by time ends with it.
constexpr double kNoTrend = 1e10;

// What is computed from the limits for the head of the dashboard: by PromQL, so that it follows the time
// range and the selection.
class LimitPanels {
 public:
  LimitPanels(const spec::Spec& spec, PanelGrid& grid)
      : spec_(spec), grid_(grid), by_("max by (" + IdentityList(spec) + ") ") {}

  void Add() {
    AddLimitsUsed();
    AddThresholds();
    AddTimeToLimit();
  }

 private:
  std::string Recorded(const std::string& signal) const {
    return Selected(spec_, spec::RecordedSeries(spec_.store, signal));
  }

  // max by (identity): an alert on a threshold has further labels (severity, verdict), which the other
  // operand of "or" lacks.
  std::string Alert(const spec::Threshold& threshold, std::string_view state) const {
    return by_ + "(" +
           Selected(spec_, "ALERTS",
                    "alertname=\"" + spec::AlertName(spec_.store, threshold.id) + "\",alertstate=\"" +
                        std::string(state) + "\"") +
           ")";
  }

  std::string ShareExpr(const spec::Threshold& threshold) const {
    std::string series = Recorded(threshold.signal);
    const std::string limit = spec::PromqlNumber(threshold.limit);
    const bool above = threshold.direction == Direction::kAbove;
    // 0 is the worst there is below a limit, and would be left out as +Inf is.
    if (!above && threshold.limit > 0)
      series = "clamp_min(" + series + ", " + spec::PromqlNumber(threshold.limit / 1000) + ")";
    // "< +Inf" leaves out what is not finite: +Inf would be the maximum, whatever the other stores have.
    return "max(" + (above ? series : limit) + " / " + (above ? limit : series) + " < +Inf)";
  }

  // How much of each limit the worst of the stores shown uses: 1 at the limit, in either direction.
  void AddLimitsUsed() {
    Panel panel;
    panel.kind = PanelKind::kBarGauge;
    panel.title = "Limits used";
    panel.description =
        "The recorded value as a share of each limit, of the worst of the stores shown. Beyond 100 % the "
        "limit is "
        "breached; an alert follows once that has lasted long enough.";
    panel.width = 8;
    panel.height = 6;
    for (const spec::Threshold& threshold : spec_.thresholds) {
      // A share of a limit of 0 would be a division by 0.
      if (threshold.limit == 0) continue;
      panel.queries.push_back({ShareExpr(threshold), threshold.id, true});
    }
    panel.unit = "percentunit";
    panel.min = 0;
    panel.max = 1;
    panel.steps = {{{}, "green"}, {JustAbove(1), "red"}};
    if (!panel.queries.empty()) grid_.Add(std::move(panel));
  }

  void AddThresholds() {
    Panel panel;
    panel.kind = PanelKind::kStateTimeline;
    panel.title = "Alerts";
    panel.description =
        "Each threshold's alert: within its limit, pending until it has lasted long enough, firing.";
    panel.width = 16;
    panel.height = std::clamp(3 + static_cast<int>(spec_.thresholds.size()), 6, 16);
    panel.queries.reserve(spec_.thresholds.size());
    for (const spec::Threshold& threshold : spec_.thresholds) {
      // "or" takes the first operand that has a sample of the store: firing, else pending, else within.
      // ALERTS has no sample of an alert that is inactive, hence the third, from the recorded series.
      panel.queries.push_back({"2 * " + Alert(threshold, "firing") + "\nor " + Alert(threshold, "pending") +
                                   "\nor 0 * " + Recorded(threshold.signal),
                               threshold.id + " " + StoreLegend(spec_), false});
    }
    panel.texts = {{0, "within", "green"}, {1, "pending", "yellow"}, {2, "firing", "red"}};
    grid_.Add(std::move(panel));
  }

  // Seconds until the limit if the trend over the time shown continues: 0 reached, kNoTrend no trend towards
  // it. Towards the limit only: "> 0" drops what moves away from it or not at all, and the last operand of
  // "or" shows "no trend" there.
  std::string TimeToLimit(const spec::Threshold& threshold) const {
    const std::string series = Recorded(threshold.signal);
    const bool above = threshold.direction == Direction::kAbove;
    const std::string limit = spec::PromqlNumber(threshold.limit);
    const std::string reached = "0 * (" + series + (above ? " > " : " < ") + limit + ")";
    const std::string away = above ? "(" + limit + " - " + series + ")" : "(" + series + " - " + limit + ")";
    const std::string slope = std::string(above ? "" : "-") + "deriv(" + series + "[$__range])";
    return reached + " or " + away + " / (" + slope + " > 0) < " + spec::PromqlNumber(kTrendMaxMs / 1000.0) +
           " or " + spec::PromqlNumber(kNoTrend) + " + 0 * " + series;
  }

  void AddTimeToLimit() {
    Panel panel;
    panel.kind = PanelKind::kTable;
    panel.title = "Time to limit";
    panel.description =
        "When each limit is reached if the trend over the time shown continues. It changes no verdict; a "
        "longer time range gives a steadier trend.";
    panel.width = 8;
    panel.height = std::clamp(3 + static_cast<int>(spec_.thresholds.size()), 6, 16);
    std::string expr;
    for (const spec::Threshold& threshold : spec_.thresholds) {
      expr += expr.empty() ? "" : "\nor ";
      // label_replace with an empty source and pattern adds a constant label: all thresholds are rows of one
      // table then.
      expr += "label_replace(" + TimeToLimit(threshold) + ", \"threshold\", \"" + threshold.id +
              "\", \"\", \"\")";
    }
    panel.queries = {{std::move(expr), "", true}};
    panel.columns = {"threshold", "Value"};
    for (auto label = spec_.store.identity.rbegin(); label != spec_.store.identity.rend(); ++label) {
      const bool names_the_store = label == spec_.store.identity.rbegin() || *label == "instance";
      (names_the_store ? panel.columns : panel.hidden_columns).push_back(*label);
    }
    panel.value_title = "time left";
    panel.unit = "s";
    panel.decimals = 0;
    panel.texts = {{0, "reached", "red"}, {kNoTrend, "no trend", "text"}};
    panel.steps = {{{}, "red"}, {86400, "orange"}, {2592000, "yellow"}};
    grid_.Add(std::move(panel));
  }

  const spec::Spec& spec_;
  PanelGrid& grid_;
  const std::string by_;
};

}  // namespace

void AddLimitPanels(const spec::Spec& spec, PanelGrid& grid) { LimitPanels(spec, grid).Add(); }

}  // namespace outgrown::artefacts
