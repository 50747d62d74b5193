#include "rulegen/artefacts/dashboard/limit_panels.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "common/horizons.h"
#include "rulegen/artefacts/dashboard/panel_parts.h"
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
  LimitPanels(const spec::Spec& spec, PanelGrid& grid) : spec_(spec), grid_(grid), by_(ByStore(spec)) {}

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
      if (const std::string share = ShareOfLimit(spec_, threshold); !share.empty())
        panel.queries.push_back({"max(" + share + ")", threshold.id, true});
    }
    for (const spec::Signal& signal : spec_.signals) {
      if (const std::string share = ShareOfCeiling(spec_, signal); !share.empty())
        panel.queries.push_back({"max(" + share + ")", TitleOfCeiling(signal), true});
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
                               StoreLegend(spec_) + " " + threshold.id, false});
    }
    panel.texts = {{0, "within", "green"}, {1, "pending", "yellow"}, {2, "firing", "red"}};
    grid_.Add(std::move(panel));
  }

  // Seconds until `series` reaches the limit if the trend of `range` over the time shown continues: 0 reached, kNoTrend no
  // trend towards it. Towards the limit only: "> 0" drops what moves away from it or not at all, and the last operand of
  // "or" shows "no trend" there.
  static std::string TimeToLimit(const std::string& series, const std::string& range, double to, bool above) {
    const std::string limit = spec::PromqlNumber(to);
    const std::string reached = "0 * (" + series + (above ? " > " : " < ") + limit + ")";
    const std::string away = above ? "(" + limit + " - " + series + ")" : "(" + series + " - " + limit + ")";
    const std::string slope = std::string(above ? "" : "-") + "deriv(" + range + ")";
    return reached + " or " + away + " / (" + slope + " > 0) < " + spec::PromqlNumber(kTrendMaxMs / 1000.0) +
           " or " + spec::PromqlNumber(kNoTrend) + " + 0 * " + series;
  }

  // label_replace with an empty source and pattern adds a constant label: all limits are rows of one table then.
  static std::string Row(const std::string& expr, std::string_view name) {
    std::string literal;
    for (const char c : name)
      literal.append(c == '$' ? 2 : 1, c);  // "$" is a part of the source there, "$$" is one
    return "label_replace(" + expr + ", \"threshold\", " + spec::PromqlString(literal) + ", \"\", \"\")";
  }

  const std::string& TitleOfCeiling(const spec::Signal& signal) const {
    return std::ranges::find(spec_.signals, signal.ceiling, &spec::Signal::id)->title;
  }

  // Both of the thresholds and of the stores' own ceilings.
  std::string TimesToLimits() const {
    std::string expr;
    for (const spec::Threshold& threshold : spec_.thresholds) {
      const std::string series = Recorded(threshold.signal);
      const std::string times = TimeToLimit(series, series + "[$__range]", threshold.limit,
                                            threshold.direction == Direction::kAbove);
      expr += (expr.empty() ? "" : "\nor ") + Row(times, threshold.id);
    }
    for (const spec::Signal& signal : spec_.signals) {
      if (signal.ceiling.empty()) continue;
      const std::string share = "(" + Recorded(signal.id) + " / " + Recorded(signal.ceiling) + ")";
      expr += "\nor " + Row(TimeToLimit(share, share + "[$__range:5m]", 1, true), TitleOfCeiling(signal));
    }
    return expr;
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
    panel.queries = {{TimesToLimits(), "", true}};
    panel.columns = {{.field = "threshold", .width = ThresholdWidth(spec_)},
                     {.field = "Value",
                      .title = "time left",
                      .unit = "s",
                      .decimals = 0,
                      .steps = {{{}, "red"}, {86400, "orange"}, {2592000, "yellow"}},
                      .texts = {{0, "reached", "red"}, {kNoTrend, "no trend", "text"}},
                      .width = kValueWidth}};
    for (auto label = spec_.store.identity.rbegin(); label != spec_.store.identity.rend(); ++label) {
      const bool names_the_store = label == spec_.store.identity.rbegin() || *label == "instance";
      if (names_the_store) {
        panel.columns.push_back({.field = *label});
      } else {
        panel.hidden_columns.push_back(*label);
      }
    }
    panel.sorted_by = {"time left"};
    grid_.Add(std::move(panel));
  }

  const spec::Spec& spec_;
  PanelGrid& grid_;
  const std::string by_;
};

}  // namespace

void AddLimitPanels(const spec::Spec& spec, PanelGrid& grid) { LimitPanels(spec, grid).Add(); }

}  // namespace outgrown::artefacts
