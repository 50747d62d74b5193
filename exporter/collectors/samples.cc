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

// From a page on a mapping, of which only what is written to takes memory.
std::size_t RoomFor(std::size_t bytes) {
  constexpr std::size_t kPageBytes = 4096;
  return bytes < kPageBytes ? bytes : std::max(bytes, kMappingBytes);
}

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
    labels_.reserve(RoomFor(times * other.labels_.size()));
    cells_.reserve(RoomFor(times * other.cells_.size() * sizeof cells_[0]) / sizeof cells_[0]);
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

prometheus::MetricFamily FamilySamples::CollectHead() const {
  return {std::string(metric_->name), std::string(metric_->help), TypeOf(*metric_), {}};
}

void FamilySamples::CollectEach(const std::function<void(const prometheus::ClientMetric&)>& visit) const {
  prometheus::ClientMetric metric;  // one, whose strings and buckets keep their room from sample to sample
  for (const std::string_view name : metric_->labels) metric.label.push_back({std::string(name), ""});
  for (const double bound : bounds_) metric.histogram.bucket.push_back({0, bound});
  ForEach([&](const Sample& sample) {
    for (std::size_t i = 0; i < sample.labels.size(); ++i) metric.label[i].value = sample.labels[i];
    const double last_cell = std::bit_cast<double>(sample.cells.back());
    if (metric_->type == metrics::Type::kHistogram) {
      for (std::size_t i = 0; i < bounds_.size(); ++i)
        metric.histogram.bucket[i].cumulative_count = sample.cells[i];
      // The last bucket is infinity, so its cumulative count is the total.
      metric.histogram.sample_count = sample.cells[bounds_.size() - 1];
      metric.histogram.sample_sum = last_cell;
    } else {
      (metric_->type == metrics::Type::kCounter ? metric.counter.value : metric.gauge.value) = last_cell;
    }
    visit(metric);
    return true;
  });
}

std::vector<prometheus::MetricFamily> FamilySamples::Collect() const {
  prometheus::MetricFamily family = CollectHead();
  CollectEach([&](const prometheus::ClientMetric& metric) { family.metric.push_back(metric); });
  return {std::move(family)};
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
  // Both in the catalog's order, so that mostly the next one is meant.
  auto ours = families_.begin();
  for (const FamilySamples& theirs : other.families_) {
    if (theirs.is_empty()) continue;
    while (ours != families_.end() && AddressOf(*ours) < AddressOf(theirs)) ++ours;
    if (ours == families_.end() || AddressOf(*ours) != AddressOf(theirs))
      ours = families_.insert(ours, FamilySamples(theirs.metric()));
    ours->Add(theirs, times);
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
