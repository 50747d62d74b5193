// Which series an expression of a spec may read: the exporter's own (thresholds/catalog.h), the foreign ones that
// [[metric]] declares, those that the spec itself records, and the few that Prometheus makes for every target.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "thresholds/model.h"

namespace outgrown::spec {

struct KnownSeries {
  // It only grows: a counter, or the _bucket, _count and _sum of a histogram or summary.
  bool is_counter = false;
  std::vector<std::string_view> labels;  // beside the identity's, job and instance; in the author's order
  std::unordered_set<std::string_view> label_set;  // the same
  bool any_label = false;                          // the spec's list of them could not be read
  std::optional<std::size_t> signal;               // recorded by this spec: the signal's index
  bool of_target = false;                          // made by Prometheus for each target, once
};

// Whether the stores are those of Outgrown's own exporter: `present` is one of its series.
bool HasOwnExporter(const Spec& spec);

// What reads the series.
enum class Reader {
  kSignals,  // and the coverage: recorded first of all
  kWatches,  // read everything that the spec records
};

class KnownSeriesIndex {
 public:
  // `spec` outlives this.
  explicit KnownSeriesIndex(const Spec& spec, Reader reader = Reader::kSignals);

  // Whether every name of the spec could be read; if not, one that isn't found may be right all the same.
  bool is_complete() const { return is_complete_; }

  // Null if the name is unknown.
  const KnownSeries* Find(std::string_view name) const;

  // Whether a series of that name may have that label.
  bool HasLabel(const KnownSeries& series, std::string_view label) const;

  // Whether `name` is a histogram, which has no series of its own name but NAME_bucket, NAME_count and NAME_sum.
  bool IsHistogram(std::string_view name) const;

  // All names, for suggestions.
  const std::vector<std::string_view>& names() const { return names_; }

 private:
  void Add(std::string name, KnownSeries series);
  void AddRecordedForWatches();
  void AddMetric(std::string_view name, std::string_view type, const KnownSeries& labelled);

  const Spec& spec_;
  std::unordered_map<std::string, KnownSeries> series_;
  std::unordered_set<std::string> histograms_;
  std::vector<std::string_view> names_;
  std::unordered_set<std::string_view> identity_;  // with job and instance
  bool is_complete_ = true;
};

}  // namespace outgrown::spec
