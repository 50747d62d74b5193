// What a scrape has measured: values of the catalog's metrics, packed.
//
// The catalog is the only place that knows a metric's type, help and label names, so a collector gives a name and the
// labels' values. A name that is not in the catalog, or too few or too many labels, is a bug and aborts.
//
// prometheus-cpp's own objects take more room than the text that is made of them (a ClientMetric without labels is 200
// bytes, each label 64 more). So for a page they are made one after the other, in one object; until then a
// sample takes its value and its labels' values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include "thresholds/catalog.h"

namespace outgrown::exporter {

// From this size on a block of memory has a mapping of its own (KeepLittleMemory, main.cc), which goes back to the system when
// it is freed. In the heap it would stay resident below what was allocated since and stays.
inline constexpr std::size_t kMappingBytes = 128 << 10;

// A histogram's counts. The total is the sum of the buckets, so that _count can't disagree with them.
struct HistogramValue {
  struct Bucket {
    double upper_bound = 0;  // inclusive, ascending; the last is infinity
    std::uint64_t cumulative_count = 0;
  };
  std::vector<Bucket> buckets;
  double sum = 0;
};

// All samples of one metric.
class FamilySamples final : public prometheus::Collectable {
 public:
  explicit FamilySamples(const metrics::Metric& metric) : metric_(&metric) {}

  const metrics::Metric& metric() const { return *metric_; }

  void Add(std::span<const std::string_view> labels, double value);
  // Precondition: all histograms of the family have the same bounds.
  void Add(std::span<const std::string_view> labels, const HistogramValue& value);
  // `times`: for how many like this one to make room, if it is the first.
  void Add(const FamilySamples& other, std::size_t times);
  void Clear();
  bool is_empty() const { return cells_.empty(); }

  struct Sample {
    std::vector<std::string_view> labels;
    std::span<const std::uint64_t> cells;  // a double's bits; of a histogram its counts, then the sum's bits
  };
  // The first sample whose first labels have these values.
  std::optional<Sample> Find(std::span<const std::string_view> labels) const;

  // One family, in the order in which the samples were added.
  std::vector<prometheus::MetricFamily> Collect() const override;

  // The same in parts: the family without its metrics, and each metric, for as long as the call lasts.
  prometheus::MetricFamily CollectHead() const;
  void CollectEach(const std::function<void(const prometheus::ClientMetric&)>& visit) const;

 private:
  void AddLabels(std::span<const std::string_view> labels);
  template <typename Visit>
  void ForEach(const Visit& visit) const;
  std::size_t CellsOfOne() const { return bounds_.empty() ? 1 : bounds_.size() + 1; }

  const metrics::Metric* metric_;
  std::string labels_;  // each value as four bytes of length and its bytes
  std::vector<std::uint64_t> cells_;
  std::vector<double> bounds_;  // of a histogram
};

class Samples {
 public:
  // Adds the value of a counter or gauge. `labels` are the values of the catalog's labels, in its order.
  void Set(std::string_view metric, std::span<const std::string_view> labels, double value);
  void Set(std::string_view metric, std::initializer_list<std::string_view> labels, double value) {
    Set(metric, std::span(labels.begin(), labels.size()), value);
  }
  void SetHistogram(std::string_view metric, std::initializer_list<std::string_view> labels,
                    const HistogramValue& value);

  // Forgets the samples, and keeps the room that they took, for as many others.
  void Clear();

  // Adds all of `other`'s. `times`: how many like it there will be. Room for all of them is made at once, or what is given up
  // while it grows would lie between what stays from scrape to scrape, as holes.
  void Merge(const Samples& other, std::size_t times = 1);

  // The value of the first series of a counter or gauge whose first labels have these values; for the landing page.
  std::optional<double> Find(std::string_view metric, std::initializer_list<std::string_view> labels) const;

  // The value of label number `index` of the same series.
  std::optional<std::string> FindLabel(std::string_view metric,
                                       std::initializer_list<std::string_view> labels,
                                       std::size_t index) const;

  // Those that have a sample, or had one before Clear, in the catalog's order.
  std::span<const FamilySamples> families() const { return families_; }

  // The same, for a caller that lets go of each as soon as it is written.
  std::vector<FamilySamples> TakeFamilies() { return std::move(families_); }

 private:
  FamilySamples& FamilyOf(const metrics::Metric& metric);
  std::optional<FamilySamples::Sample> FindSample(std::string_view metric,
                                                  std::initializer_list<std::string_view> labels) const;

  std::vector<FamilySamples> families_;
};

}  // namespace outgrown::exporter
