#include "rulegen/artefacts/dashboard.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/digest.h"
#include "rulegen/artefacts/annotation.h"
#include "rulegen/artefacts/rules.h"
#include "thresholds/known_series.h"
#include "thresholds/names.h"
#include "thresholds/promql.h"

namespace outgrown::plan {

namespace {

constexpr int kGridColumns = 24;

// Fills lines from left to right; a panel that doesn't fit starts the next line.
class PanelGrid {
 public:
  // A heading across the dashboard.
  void Row(std::string title) {
    NextLine();
    Panel row;
    row.title = std::move(title);
    Add(std::move(row));
  }

  void Add(Panel panel) {
    if (x_ + panel.width > kGridColumns) NextLine();
    panel.x = x_;
    panel.y = y_;
    x_ += panel.width;
    line_height_ = std::max(line_height_, panel.height);
    panels_.push_back(std::move(panel));
  }

  std::vector<Panel> Take() { return std::move(panels_); }

 private:
  void NextLine() {
    y_ += line_height_;
    x_ = 0;
    line_height_ = 0;
  }

  std::vector<Panel> panels_;
  int x_ = 0;
  int y_ = 0;
  int line_height_ = 0;
};

// The selection that the dashboard's variables make: job=~"$job",instance=~"$instance".
std::string Selection(const spec::Spec& spec) {
  std::string text;
  for (const std::string& label : spec.store.identity) {
    text += (text.empty() ? "" : ",") + label + "=~\"$" + label + "\"";
  }
  return text;
}

// NAME{MORE,selection}; `more` may be empty.
std::string Selected(const spec::Spec& spec, std::string_view name, std::string_view more = "") {
  return std::string(name) + "{" + std::string(more) + (more.empty() ? "" : ",") + Selection(spec) + "}";
}

// "{{database}} @ {{instance}}": one store in a legend.
std::string StoreLegend(const spec::Spec& spec) {
  const std::vector<std::string>& identity = spec.store.identity;
  std::string legend = "{{" + identity.back() + "}}";
  const bool has_instance = std::ranges::count(identity, "instance") > 0;
  if (has_instance && identity.back() != "instance") legend += " @ {{instance}}";
  return legend;
}

// Mild yellow to severe red, for the verdict with that index.
std::string VerdictColor(const spec::Spec& spec, std::size_t index) {
  constexpr std::array<std::string_view, 3> kFromSevere = {"red", "orange", "yellow"};
  const std::size_t behind = spec.verdicts.size() - 1 - index;
  return std::string(kFromSevere[std::min(behind, kFromSevere.size() - 1)]);
}

// The least value beyond a limit: Grafana colours from a step's value on, but a limit itself is no breach.
double JustAbove(double limit) {
  return limit == 0 ? 1e-9 : std::nextafter(limit, std::numeric_limits<double>::infinity());
}

// A limit that the trend reaches later than this is not one that anybody plans for.
constexpr double kTenYearsSeconds = 315'360'000;
// Stands for "never" behind every time that can be reached, so that a table sorted by time ends with it.
constexpr double kNoTrend = 1e10;

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

  std::string Alert(const spec::Threshold& threshold, std::string_view state) const {
    return by_ + "(" +
           Selected(spec_, "ALERTS",
                    "alertname=\"" + spec::AlertName(spec_.store, threshold.id) + "\",alertstate=\"" +
                        std::string(state) + "\"") +
           ")";
  }

  std::string ShareExpr(const spec::Threshold& threshold) const {
    const std::string series = Recorded(threshold.signal);
    const std::string limit = PromqlNumber(threshold.limit);
    const bool above = threshold.direction == Direction::kAbove;
    return "max(" + (above ? series : limit) + " / " + (above ? limit : series) + ")";
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
      // Of a limit of 0 nothing is a share.
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
      panel.queries.push_back({"2 * " + Alert(threshold, "firing") + "\nor " + Alert(threshold, "pending") +
                                   "\nor 0 * " + Recorded(threshold.signal),
                               threshold.id + " " + StoreLegend(spec_), false});
    }
    panel.texts = {{0, "within", "green"}, {1, "pending", "yellow"}, {2, "firing", "red"}};
    grid_.Add(std::move(panel));
  }

  // Seconds until the limit if the trend over the time shown goes on: 0 reached, kNoTrend no trend towards it.
  std::string TimeToLimit(const spec::Threshold& threshold) const {
    const std::string series = Recorded(threshold.signal);
    const bool above = threshold.direction == Direction::kAbove;
    const std::string limit = PromqlNumber(threshold.limit);
    const std::string reached = "0 * (" + series + (above ? " > " : " < ") + limit + ")";
    const std::string away = above ? "(" + limit + " - " + series + ")" : "(" + series + " - " + limit + ")";
    const std::string slope = std::string(above ? "" : "-") + "deriv(" + series + "[$__range])";
    return reached + " or " + away + " / (" + slope + " > 0) < " + PromqlNumber(kTenYearsSeconds) + " or " +
           PromqlNumber(kNoTrend) + " + 0 * " + series;
  }

  void AddTimeToLimit() {
    Panel panel;
    panel.kind = PanelKind::kTable;
    panel.title = "Time to limit";
    panel.description =
        "When each limit is reached if the trend over the time shown goes on. It changes no verdict; a "
        "longer time range "
        "gives a calmer trend.";
    panel.width = 8;
    panel.height = std::clamp(3 + static_cast<int>(spec_.thresholds.size()), 6, 16);
    std::string expr;
    for (const spec::Threshold& threshold : spec_.thresholds) {
      expr += expr.empty() ? "" : "\nor ";
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
    panel.steps = {{{}, "red"}, {86400, "orange"}, {2592000, "yellow"}, {31536000, "green"}};
    grid_.Add(std::move(panel));
  }

  const spec::Spec& spec_;
  PanelGrid& grid_;
  const std::string by_;
};

// What is behind the signals, and whether the measurement is whole.
constexpr int kHeight = 8;

class ExporterPanels {
 public:
  ExporterPanels(const spec::Spec& spec, PanelGrid& grid)
      : spec_(spec), grid_(grid), by_(IdentityList(spec)), store_(StoreLegend(spec)) {}

  void Add() {
    grid_.Row("Writes");
    AddWrites();
    grid_.Row("The store's files");
    AddFiles();
    grid_.Row("The measurement");
    AddMeasurement();
  }

 private:
  std::string Of(const std::string& name) const { return Selected(spec_, name); }

  std::string RateBy(const std::string& labels, const std::string& name) const {
    return "sum by (" + labels + ") (rate(" + Of(name) + "[$__rate_interval]))";
  }

  Panel Chart(std::string title, std::string description, std::vector<DashboardQuery> queries,
              std::string unit, int width) const {
    Panel panel;
    panel.kind = PanelKind::kTimeSeries;
    panel.title = std::move(title);
    panel.description = std::move(description);
    panel.width = width;
    panel.height = kHeight;
    panel.queries = std::move(queries);
    panel.unit = std::move(unit);
    panel.min = 0;
    return panel;
  }

  void AddWrites() {
    Panel writes = Chart(
        "Writes by status",
        "Outermost write transactions: success, error, or rejected by a constraint (the application's own "
        "doing).",
        {{RateBy("status", "checkpoint_writes_total"), "{{status}}", false}}, "ops", 8);
    writes.stacked = true;
    writes.series_colors = {{"success", "green"}, {"error", "red"}, {"rejected", "yellow"}};
    grid_.Add(std::move(writes));
    Panel errors =
        Chart("Errors by reason",
              "busy and busy_snapshot are lock contention; full, io and corrupt are the machine.",
              {{RateBy("reason", "checkpoint_write_errors_total"), "{{reason}}", false}}, "ops", 8);
    errors.stacked = true;
    errors.series_colors = {{"busy", "orange"}, {"busy_snapshot", "yellow"}, {"full", "red"},
                            {"io", "purple"},   {"corrupt", "dark-red"},     {"other", "blue"}};
    grid_.Add(std::move(errors));

    Panel latency =
        Chart("Write latency", "Quantiles of the duration of writes, lock wait included.", {}, "s", 8);
    const std::string buckets = RateBy("le", "checkpoint_write_duration_seconds_bucket");
    for (const auto& [quantile, name] : {std::pair("0.5", "median"), {"0.9", "P90"}, {"0.99", "P99"}}) {
      latency.queries.push_back(
          {"histogram_quantile(" + std::string(quantile) + ", " + buckets + ")", name, false});
    }
    grid_.Add(std::move(latency));
  }

  void AddFiles() {
    grid_.Add(Chart("File sizes", "The database file and its write-ahead log.",
                    {{Of("checkpoint_file_size_bytes"), "database " + store_, false},
                     {Of("checkpoint_wal_size_bytes"), "WAL " + store_, false}},
                    "bytes", 8));
    grid_.Add(Chart("Payload written", "Bytes that the application said it wrote.",
                    {{RateBy(by_, "checkpoint_written_bytes_total"), store_, false}}, "Bps", 8));
    grid_.Add(
        Chart("Commits: counted and the store's own",
              "Writes that the application counted as successful, beside the store's own commit counter. The "
              "store's "
              "running ahead means that somebody writes without being counted.",
              {{"sum by (" + by_ + ") (rate(" +
                    Selected(spec_, "checkpoint_writes_total", "status=\"success\"") + "[$__rate_interval]))",
                "counted " + store_, false},
               {RateBy(by_, "checkpoint_store_commits_total"), "store " + store_, false}},
              "ops", 8));
  }

  void AddMeasurement() {
    if (spec_.coverage) {
      Panel coverage = Chart("Coverage", "Share of the store's commits that the application's counting saw.",
                             {{Of(spec::CoverageSeries(spec_.store)), store_, false}}, "percentunit", 8);
      coverage.max = 1;
      coverage.steps = {{{}, "red"}, {spec_.coverage->minimum, "green"}};
      coverage.limit_lines = true;
      grid_.Add(std::move(coverage));
    }
    Panel block;
    block.kind = PanelKind::kStateTimeline;
    block.title = "Counter block and exporter";
    block.description =
        "Whether the exporter was scraped, and whether it could read the store's counter block.";
    block.width = 8;
    block.height = kHeight;
    block.queries = {
        {Of("checkpoint_block_up"), "block " + store_, false},
        {"up and on (job, instance) " + Of("checkpoint_block_up"), "exporter {{instance}}", false}};
    block.texts = {{0, "down", "red"}, {1, "up", "green"}};
    grid_.Add(std::move(block));
    grid_.Add(Chart("Writers", "Living writers of the counter block, and those inside a write now.",
                    {{Of("checkpoint_block_writers"), "living " + store_, false},
                     {Of("checkpoint_writes_in_flight"), "in a write " + store_, false}},
                    "short", 8));
    grid_.Add(Chart("Oldest write in flight",
                    "Grows for as long as a writer is stuck inside a write; 0 when idle.",
                    {{Of("checkpoint_oldest_write_in_flight_seconds"), store_, false}}, "s", 8));
    grid_.Add(Chart(
        "Collectors", "How long each part of a scrape took.",
        {{"max by (collector) (checkpoint_collector_duration_seconds{job=~\"$job\",instance=~\"$instance\"})",
          "{{collector}}", false}},
        "s", 8));
    grid_.Add(Chart(
        "Exporter's memory", "Resident memory of the exporter.",
        {{"process_resident_memory_bytes{job=~\"$job\",instance=~\"$instance\"}", "{{instance}}", false}},
        "bytes", 8));
    AddLastDecisions();
  }

  void AddLastDecisions() {
    const std::string where = "{store=\"" + spec_.store.name + "\",job=~\"$job\",instance=~\"$instance\"}";
    Panel panel;
    panel.kind = PanelKind::kTable;
    panel.title = "Last decisions";
    panel.description =
        "What rulegen --evaluate decided last about each store, and how long ago, where an exporter has "
        "--decision.log. The timer is daily; the alert comes after 26 hours.";
    panel.width = 24;
    panel.height = 6;
    panel.queries = {
        {"max by (subject, verdict) (\n"
         "  (time() - checkpoint_decision_timestamp_seconds" +
             where +
             ")\n"
             "  * on (job, instance, store, subject) group_right ()\n"
             "  checkpoint_decision_verdict" +
             where + "\n)",
         "", true}};
    panel.columns = {"subject", "verdict", "Value"};
    panel.value_title = "decided";
    panel.unit = "s";
    panel.decimals = 0;
    panel.steps = {{{}, "green"}, {86400, "yellow"}, {93600, "red"}};
    grid_.Add(std::move(panel));
  }

  const spec::Spec& spec_;
  PanelGrid& grid_;
  const std::string by_;
  const std::string store_;
};

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
    if (spec::HasOwnExporter(spec_)) ExporterPanels(spec_, grid_).Add();
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
    LimitPanels(spec_, grid_).Add();
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
