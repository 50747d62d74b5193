#include "thresholds/known_series.h"

#include <array>
#include <utility>

#include "thresholds/catalog.h"
#include "thresholds/names.h"

namespace outgrown::spec {
namespace {

// Source: https://prometheus.io/docs/concepts/jobs_instances/
constexpr std::array<std::string_view, 5> kMadeByPrometheus = {
    "up", "scrape_duration_seconds", "scrape_samples_scraped", "scrape_samples_post_metric_relabeling",
    "scrape_series_added"};

}  // namespace

bool HasOwnExporter(const Spec& spec) { return metrics::Find(spec.store.present) != nullptr; }

KnownSeriesIndex::KnownSeriesIndex(const Spec& spec, Reader reader)
    : spec_(spec), identity_(spec.store.identity.begin(), spec.store.identity.end()) {
  // Prometheus gives these to every scraped series, whether they are in the identity or not.
  identity_.insert({"job", "instance"});
  is_complete_ = !IsUnusable(spec.positions, "metric") && !IsUnusable(spec.positions, "signal") &&
                 !spec.store.name.empty();
  // Own series first: emplace keeps the first of a name, so that a [[metric]] which repeats one can't change
  // what it is. ValidateMetrics reports it.
  for (const metrics::Metric& metric : metrics::Catalog()) {
    KnownSeries labelled;
    labelled.labels = {metric.labels.begin(), metric.labels.end()};
    AddMetric(metric.name, metrics::TypeName(metric.type), labelled);
  }
  for (const std::string_view name : kMadeByPrometheus) {
    KnownSeries made;
    made.of_target = true;
    Add(std::string(name), std::move(made));
  }
  for (const Metric& metric : spec.metrics) {
    // With a name that could not be read, "unknown series" could be wrong; then only what is certain is
    // reported.
    is_complete_ = is_complete_ && !metric.name.empty() && !metric.type.empty();
    KnownSeries labelled;
    labelled.labels = {metric.labels.begin(), metric.labels.end()};
    labelled.any_label = IsUnusable(metric.positions, "labels");
    AddMetric(metric.name, metric.type, labelled);
  }
  for (std::size_t i = 0; i < spec.signals.size(); ++i) {
    is_complete_ = is_complete_ && !spec.signals[i].id.empty();
    KnownSeries recorded;
    // A recorded signal has the identity's labels alone (docs/spec.md, "Expressions").
    recorded.signal = i;
    Add(RecordedSeries(spec.store, spec.signals[i].id), std::move(recorded));
  }
  if (reader == Reader::kWatches) AddRecordedForWatches();
}

// Signals may not read these: they are recorded behind the signals, so a signal would see the evaluation
// before.
void KnownSeriesIndex::AddRecordedForWatches() {
  const Store& store = spec_.store;
  KnownSeries by_reason;
  by_reason.labels = {"reason"};
  for (const Signal& signal : spec_.signals) {
    if (!signal.split.empty()) Add(SplitSeries(store, signal.id), by_reason);
  }
  if (spec_.coverage) {
    Add(CoverageSeries(store), {});
    if (!spec_.coverage->reason.empty()) Add(ReasonSeries(store), by_reason);
  }
  is_complete_ = is_complete_ && !IsUnusable(spec_.positions, "watch");
  for (const Watch& watch : spec_.watches) {
    is_complete_ = is_complete_ && !IsUnusable(watch.positions, "record");
    if (watch.is_alert()) continue;
    KnownSeries memory;
    memory.labels = {watch.labels.begin(), watch.labels.end()};
    memory.any_label = IsUnusable(watch.positions, "labels");
    Add(RecordedSeries(store, watch.record), std::move(memory));
  }
}

void KnownSeriesIndex::Add(std::string name, KnownSeries series) {
  series.label_set.insert(series.labels.begin(), series.labels.end());
  const auto [added, is_new] = series_.emplace(std::move(name), std::move(series));
  if (is_new) names_.push_back(added->first);  // a node's key stays where it is
}

void KnownSeriesIndex::AddMetric(std::string_view name, std::string_view type, const KnownSeries& labelled) {
  const std::string base(name);
  // The series of a histogram and a summary: https://prometheus.io/docs/concepts/metric_types/. A summary's
  // own name has its quantiles; a histogram has no series of its own name.
  const bool is_histogram = type == "histogram";
  const bool is_summary = type == "summary";
  KnownSeries counted = labelled;
  counted.is_counter = true;
  if (is_histogram || is_summary) {
    Add(base + "_count", counted);
    Add(base + "_sum", counted);
  }
  if (is_histogram) {
    histograms_.insert(base);
    counted.labels.push_back("le");
    Add(base + "_bucket", std::move(counted));
    return;
  }
  KnownSeries own = labelled;
  own.is_counter = type == "counter";
  if (is_summary) own.labels.push_back("quantile");
  Add(base, std::move(own));
}

const KnownSeries* KnownSeriesIndex::Find(std::string_view name) const {
  const auto found = series_.find(std::string(name));
  return found == series_.end() ? nullptr : &found->second;
}

bool KnownSeriesIndex::HasLabel(const KnownSeries& series, std::string_view label) const {
  // If a list of labels could not be read, any name may be one of it.
  if (series.any_label || IsUnusable(spec_.store.positions, "identity")) return true;
  if (identity_.contains(label) || series.label_set.contains(label)) return true;
  // Prometheus' name for a label of the exporter's that a target label has taken.
  constexpr std::string_view kTaken = "exported_";
  return label.starts_with(kTaken) && HasLabel(series, label.substr(kTaken.size()));
}

bool KnownSeriesIndex::IsHistogram(std::string_view name) const {
  return histograms_.contains(std::string(name));
}

}  // namespace outgrown::spec
