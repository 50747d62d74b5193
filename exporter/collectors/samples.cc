#include "exporter/collectors/samples.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/check.h"
#include "thresholds/catalog.h"

namespace outgrown::exporter {
namespace {

prometheus::MetricType TypeOf(const metrics::Metric& metric) {
  switch (metric.type) {
    case metrics::Type::kCounter:
      return prometheus::MetricType::Counter;
    case metrics::Type::kGauge:
      return prometheus::MetricType::Gauge;
    case metrics::Type::kHistogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

}  // namespace

prometheus::ClientMetric& Samples::Add(std::string_view metric, std::span<const std::string_view> labels) {
  const metrics::Metric* entry = metrics::Find(metric);
  OUTGROWN_CHECK(entry != nullptr);
  OUTGROWN_CHECK(entry->labels.size() == labels.size());
  prometheus::ClientMetric& added = metrics_[entry->name].emplace_back();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    added.label.push_back({std::string(entry->labels[i]), std::string(labels[i])});
  }
  return added;
}

void Samples::Set(std::string_view metric, std::span<const std::string_view> labels, double value) {
  prometheus::ClientMetric& added = Add(metric, labels);
  const metrics::Type type = metrics::Find(metric)->type;
  OUTGROWN_CHECK(type != metrics::Type::kHistogram);
  (type == metrics::Type::kCounter ? added.counter.value : added.gauge.value) = value;
}

void Samples::SetHistogram(std::string_view metric, std::initializer_list<std::string_view> labels,
                           const HistogramValue& value) {
  prometheus::ClientMetric& added = Add(metric, std::span(labels.begin(), labels.size()));
  OUTGROWN_CHECK(metrics::Find(metric)->type == metrics::Type::kHistogram);
  OUTGROWN_CHECK(!value.buckets.empty());
  for (const HistogramValue::Bucket& bucket : value.buckets) {
    added.histogram.bucket.push_back({bucket.cumulative_count, bucket.upper_bound});
  }
  added.histogram.sample_count = value.buckets.back().cumulative_count;
  added.histogram.sample_sum = value.sum;
}

void Samples::Merge(Samples&& other) {
  for (auto& [name, theirs] : other.metrics_) {
    std::vector<prometheus::ClientMetric>& ours = metrics_[name];
    ours.insert(ours.end(), std::move_iterator(theirs.begin()), std::move_iterator(theirs.end()));
  }
}

const prometheus::ClientMetric* Samples::FindMetric(std::string_view metric,
                                                    std::initializer_list<std::string_view> labels) const {
  const auto family = metrics_.find(metric);
  if (family == metrics_.end()) return nullptr;
  const auto same = [&](const prometheus::ClientMetric& candidate) {
    return candidate.label.size() >= labels.size() &&
           std::equal(labels.begin(), labels.end(), candidate.label.begin(),
                      [](std::string_view wanted, const auto& label) { return wanted == label.value; });
  };
  const auto found = std::ranges::find_if(family->second, same);
  return found == family->second.end() ? nullptr : &*found;
}

std::optional<double> Samples::Find(std::string_view metric,
                                    std::initializer_list<std::string_view> labels) const {
  const prometheus::ClientMetric* found = FindMetric(metric, labels);
  if (found == nullptr) return std::nullopt;
  return metrics::Find(metric)->type == metrics::Type::kCounter ? found->counter.value : found->gauge.value;
}

std::optional<std::string> Samples::FindLabel(std::string_view metric,
                                              std::initializer_list<std::string_view> labels,
                                              std::size_t index) const {
  const prometheus::ClientMetric* found = FindMetric(metric, labels);
  if (found == nullptr || index >= found->label.size()) return std::nullopt;
  return found->label[index].value;
}

std::vector<prometheus::MetricFamily> Samples::TakeFamilies() {
  std::vector<prometheus::MetricFamily> families;
  for (const metrics::Metric& metric : metrics::Catalog()) {
    const auto found = metrics_.find(metric.name);
    if (found == metrics_.end()) continue;
    families.push_back(
        {std::string(metric.name), std::string(metric.help), TypeOf(metric), std::move(found->second)});
  }
  return families;
}

}  // namespace outgrown::exporter
