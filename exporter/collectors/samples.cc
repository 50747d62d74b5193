#include "exporter/collectors/samples.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "common/check.h"

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

const metrics::Metric& InCatalog(std::string_view name) {
  const metrics::Metric* metric = metrics::Find(name);
  // A name that is not in the catalog would be a series without help text that no rule is checked against.
  OUTGROWN_CHECK(metric != nullptr);
  return *metric;
}

// The catalog is one array, so that its order is that of the entries' addresses.
const metrics::Metric* AddressOf(const FamilySamples& family) { return &family.metric(); }

}  // namespace

void FamilySamples::AddLabels(std::span<const std::string_view> labels) {
  OUTGROWN_CHECK(labels.size() == metric_->labels.size());
  for (const std::string_view label : labels) {
    // The length before the bytes, because a label's value may hold any character, and so no separator is
    // safe.
    const auto size = static_cast<std::uint32_t>(label.size());
    labels_.append(reinterpret_cast<const char*>(&size), sizeof size).append(label);
  }
}

void FamilySamples::Add(std::span<const std::string_view> labels, double value) {
  OUTGROWN_CHECK(metric_->type != metrics::Type::kHistogram);
  AddLabels(labels);
  // Bits, not a conversion: counts and doubles share one vector, and every double comes back as it was.
  cells_.push_back(std::bit_cast<std::uint64_t>(value));
}

void FamilySamples::Add(std::span<const std::string_view> labels, const HistogramValue& value) {
  OUTGROWN_CHECK(metric_->type == metrics::Type::kHistogram);
  OUTGROWN_CHECK(!value.buckets.empty());
  if (bounds_.empty()) {
    for (const HistogramValue::Bucket& bucket : value.buckets) bounds_.push_back(bucket.upper_bound);
  }
  // The bounds are kept once for the family, since they are the same for all stores.
  OUTGROWN_CHECK(std::ranges::equal(value.buckets, bounds_, {}, &HistogramValue::Bucket::upper_bound));
  AddLabels(labels);
  for (const HistogramValue::Bucket& bucket : value.buckets) cells_.push_back(bucket.cumulative_count);
  cells_.push_back(std::bit_cast<std::uint64_t>(value.sum));
}

void FamilySamples::Add(const FamilySamples& other, std::size_t times) {
  if (is_empty()) {
    labels_.reserve(times * other.labels_.size());
    cells_.reserve(times * other.cells_.size());
  }
  if (bounds_.empty()) bounds_ = other.bounds_;
  OUTGROWN_CHECK(bounds_ == other.bounds_);
  labels_ += other.labels_;
  cells_.insert(cells_.end(), other.cells_.begin(), other.cells_.end());
}

void FamilySamples::Clear() {
  labels_.clear();
  cells_.clear();
}

// Calls `visit` for each sample until it returns false.
template <typename Visit>
void FamilySamples::ForEach(const Visit& visit) const {
  Sample sample;
  sample.labels.resize(metric_->labels.size());
  // One pass over packed bytes; the views live as long as this family is not added to.
  std::string_view left = labels_;
  for (std::size_t cell = 0; cell < cells_.size(); cell += CellsOfOne()) {
    for (std::string_view& label : sample.labels) {
      std::uint32_t size = 0;
      // memcpy, since the length is at no aligned address.
      std::memcpy(&size, left.data(), sizeof size);
      label = left.substr(sizeof size, size);
      left.remove_prefix(sizeof size + size);
    }
    sample.cells = std::span(cells_).subspan(cell, CellsOfOne());
    if (!visit(std::as_const(sample))) return;
  }
}

std::optional<FamilySamples::Sample> FamilySamples::Find(std::span<const std::string_view> labels) const {
  std::optional<Sample> found;
  ForEach([&](const Sample& sample) {
    if (labels.size() <= sample.labels.size() &&
        std::equal(labels.begin(), labels.end(), sample.labels.begin()))
      found = sample;
    return !found;
  });
  return found;
}

std::vector<prometheus::MetricFamily> FamilySamples::Collect() const {
  std::vector<prometheus::MetricFamily> families(1);
  prometheus::MetricFamily& family = families.front();
  family.name = metric_->name;
  family.help = metric_->help;
  family.type = TypeOf(*metric_);
  // Reserved exactly: a vector that grows would hold twice the family for a moment.
  family.metric.reserve(cells_.size() / CellsOfOne());
  ForEach([&](const Sample& sample) {
    prometheus::ClientMetric& added = family.metric.emplace_back();
    added.label.reserve(sample.labels.size());
    for (std::size_t i = 0; i < sample.labels.size(); ++i)
      added.label.push_back({std::string(metric_->labels[i]), std::string(sample.labels[i])});
    const double last_cell = std::bit_cast<double>(sample.cells.back());
    if (metric_->type == metrics::Type::kHistogram) {
      added.histogram.bucket.reserve(bounds_.size());
      for (std::size_t i = 0; i < bounds_.size(); ++i)
        added.histogram.bucket.push_back({sample.cells[i], bounds_[i]});
      // The last bucket is infinity, so its cumulative count is the total.
      added.histogram.sample_count = sample.cells[bounds_.size() - 1];
      added.histogram.sample_sum = last_cell;
    } else {
      (metric_->type == metrics::Type::kCounter ? added.counter.value : added.gauge.value) = last_cell;
    }
    return true;
  });
  return families;
}

FamilySamples& Samples::FamilyOf(const metrics::Metric& metric) {
  // Kept in the catalog's order, which is the page's; a scrape has some fifty families.
  const auto found = std::ranges::lower_bound(families_, &metric, {}, &AddressOf);
  if (found != families_.end() && &found->metric() == &metric) return *found;
  return *families_.insert(found, FamilySamples(metric));
}

void Samples::Set(std::string_view metric, std::span<const std::string_view> labels, double value) {
  FamilyOf(InCatalog(metric)).Add(labels, value);
}

void Samples::SetHistogram(std::string_view metric, std::initializer_list<std::string_view> labels,
                           const HistogramValue& value) {
  FamilyOf(InCatalog(metric)).Add(std::span(labels.begin(), labels.size()), value);
}

void Samples::Clear() {
  for (FamilySamples& family : families_) family.Clear();
}

void Samples::Merge(const Samples& other, std::size_t times) {
  for (const FamilySamples& theirs : other.families_) {
    if (!theirs.is_empty()) FamilyOf(theirs.metric()).Add(theirs, times);
  }
}

std::optional<FamilySamples::Sample> Samples::FindSample(
    std::string_view metric, std::initializer_list<std::string_view> labels) const {
  const auto family = std::ranges::find(families_, &InCatalog(metric), &AddressOf);
  if (family == families_.end()) return std::nullopt;
  return family->Find(std::span(labels.begin(), labels.size()));
}

std::optional<double> Samples::Find(std::string_view metric,
                                    std::initializer_list<std::string_view> labels) const {
  const std::optional<FamilySamples::Sample> found = FindSample(metric, labels);
  if (!found) return std::nullopt;
  return std::bit_cast<double>(found->cells.back());
}

std::optional<std::string> Samples::FindLabel(std::string_view metric,
                                              std::initializer_list<std::string_view> labels,
                                              std::size_t index) const {
  const std::optional<FamilySamples::Sample> found = FindSample(metric, labels);
  if (!found || index >= found->labels.size()) return std::nullopt;
  return std::string(found->labels[index]);
}

}  // namespace outgrown::exporter
