#include "rulegen/artefacts/exporter_panels.h"

#include <string>
#include <utility>
#include <vector>

#include "rulegen/artefacts/rules.h"
#include "thresholds/known_series.h"
#include "thresholds/names.h"

namespace outgrown::plan {
namespace {

constexpr int kHeight = 8;

class Planner {
 public:
  Planner(const spec::Spec& spec, PanelGrid& grid)
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

}  // namespace

void AddExporterPanels(const spec::Spec& spec, PanelGrid& grid) {
  if (spec::HasOwnExporter(spec)) Planner(spec, grid).Add();
}

}  // namespace outgrown::plan
