// What one scrape has measured: values of the catalog's metrics, in prometheus-cpp's data model.
//
// The catalog is the only place that knows a metric's type, help and label names, so a collector gives a name
// and the labels' values. A name that is not in the catalog, or too few or too many labels, is a bug and
// aborts.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>

namespace outgrown::exporter {

// A histogram's counts. The total is the sum of the buckets, so that _count can't disagree with them.
struct HistogramValue {
  struct Bucket {
    double upper_bound = 0;  // inclusive, ascending; the last is infinity
    std::uint64_t cumulative_count = 0;
  };
  std::vector<Bucket> buckets;
  double sum = 0;
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

  // Takes over all of `other`'s.
  void Merge(Samples&& other);

  // The value of the first series of a counter or gauge whose first labels have these values; for the landing
  // page.
  std::optional<double> Find(std::string_view metric, std::initializer_list<std::string_view> labels) const;

  // The value of label number `index` of the same series.
  std::optional<std::string> FindLabel(std::string_view metric,
                                       std::initializer_list<std::string_view> labels,
                                       std::size_t index) const;

  // All families that have a sample, in the catalog's order; from a temporary without a copy of the samples.
  std::vector<prometheus::MetricFamily> Families() const& { return Samples(*this).TakeFamilies(); }
  std::vector<prometheus::MetricFamily> Families() && { return TakeFamilies(); }

 private:
  std::vector<prometheus::MetricFamily> TakeFamilies();
  prometheus::ClientMetric& Add(std::string_view metric, std::span<const std::string_view> labels);
  const prometheus::ClientMetric* FindMetric(std::string_view metric,
                                             std::initializer_list<std::string_view> labels) const;

  std::map<std::string_view, std::vector<prometheus::ClientMetric>> metrics_;  // keys are the catalog's own
};

}  // namespace outgrown::exporter
