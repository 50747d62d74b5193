#include "rulegen/spec/known_series.h"

#include <algorithm>
#include <array>
#include <utility>

#include "metrics/catalog.h"
#include "rulegen/spec/names.h"

namespace outgrown::spec {
namespace {

// Source: https://prometheus.io/docs/concepts/jobs_instances/
constexpr std::array<std::string_view, 5> kMadeByPrometheus = {
    "up", "scrape_duration_seconds", "scrape_samples_scraped", "scrape_samples_post_metric_relabeling",
    "scrape_series_added"};

}  // namespace

KnownSeriesIndex::KnownSeriesIndex(const Spec& spec) : spec_(spec) {
  for (const metrics::Metric& metric : metrics::Catalog()) {
    AddMetric(metric.name, metrics::TypeName(metric.type), {metric.labels.begin(), metric.labels.end()});
  }
  for (const std::string_view name : kMadeByPrometheus) Add(std::string(name), {});
  for (const Metric& metric : spec.metrics) {
    AddMetric(metric.name, metric.type, {metric.labels.begin(), metric.labels.end()});
  }
  for (std::size_t i = 0; i < spec.signals.size(); ++i) {
    if (spec.signals[i].id.empty()) continue;
    KnownSeries recorded;
    recorded.signal = i;
    Add(RecordedSeries(spec.store, spec.signals[i].id), std::move(recorded));
  }
}

void KnownSeriesIndex::Add(std::string name, KnownSeries series) {
  const auto [added, is_new] = series_.emplace(std::move(name), std::move(series));
  if (is_new) names_.push_back(added->first);  // a node's key stays where it is
}

void KnownSeriesIndex::AddMetric(std::string_view name, std::string_view type,
                                 const std::vector<std::string_view>& labels) {
  const std::string base(name);
  const bool is_histogram = type == "histogram";
  const bool is_summary = type == "summary";
  if (is_histogram || is_summary) {
    Add(base + "_count", {true, labels, {}});
    Add(base + "_sum", {true, labels, {}});
  }
  if (is_histogram) {
    histograms_.insert(base);
    std::vector<std::string_view> with_le = labels;
    with_le.push_back("le");
    Add(base + "_bucket", {true, std::move(with_le), {}});
    return;
  }
  std::vector<std::string_view> own = labels;
  if (is_summary) own.push_back("quantile");
  Add(base, {type == "counter", std::move(own), {}});
}

const KnownSeries* KnownSeriesIndex::Find(std::string_view name) const {
  const auto found = series_.find(std::string(name));
  return found == series_.end() ? nullptr : &found->second;
}

bool KnownSeriesIndex::HasLabel(const KnownSeries& series, std::string_view label) const {
  return label == "job" || label == "instance" ||
         std::ranges::find(series.labels, label) != series.labels.end() ||
         std::ranges::find(spec_.store.identity, label) != spec_.store.identity.end();
}

bool KnownSeriesIndex::IsHistogram(std::string_view name) const {
  return histograms_.contains(std::string(name));
}

}  // namespace outgrown::spec
