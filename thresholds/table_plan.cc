#include "thresholds/table_plan.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/check.h"
#include "thresholds/names.h"

namespace outgrown::plan {
namespace {

using IndexById = std::unordered_map<std::string_view, std::uint16_t>;

template <typename Rows>
IndexById IndexRows(const Rows& rows) {
  OUTGROWN_CHECK(rows.size() <= std::numeric_limits<std::uint16_t>::max());
  IndexById index;
  for (std::size_t i = 0; i < rows.size(); ++i) index.emplace(rows[i].id, static_cast<std::uint16_t>(i));
  return index;
}

std::uint16_t IndexOf(const IndexById& index, std::string_view id) {
  const auto found = index.find(id);
  OUTGROWN_CHECK(found != index.end());
  return found->second;
}

Uncovered WithoutCoverage(const std::optional<spec::Coverage>& coverage, const std::string& signal) {
  if (!coverage) return Uncovered::kValid;
  if (std::ranges::count(coverage->unknown, signal) > 0) return Uncovered::kUnknown;
  if (std::ranges::count(coverage->lower_bound, signal) > 0) return Uncovered::kLowerBound;
  return Uncovered::kValid;
}

}  // namespace

struct OwnedTable::Rows {
  spec::Spec spec;
  std::vector<std::string> series;  // of each signal
  std::vector<std::string> alerts;  // of each threshold
  std::string coverage_series;
  std::vector<std::string_view> identity;
  std::vector<VerdictRow> verdict_rows;
  std::vector<SignalRow> signal_rows;
  std::vector<ThresholdRow> threshold_rows;
  Table table;

  explicit Rows(spec::Spec from) : spec(std::move(from)) {
    identity.assign(spec.store.identity.begin(), spec.store.identity.end());
    if (spec.coverage) coverage_series = spec::CoverageSeries(spec.store);
    for (const spec::Verdict& verdict : spec.verdicts) {
      verdict_rows.push_back({verdict.id, verdict.text, verdict.severity, verdict.exit_code});
    }
    AddSignals();
    AddThresholds();
    FillTable();
  }

  // Rows point into their siblings: they stay where they were made.
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  void AddSignals() {
    for (const spec::Signal& signal : spec.signals)
      series.push_back(spec::RecordedSeries(spec.store, signal.id));
    for (std::size_t i = 0; i < spec.signals.size(); ++i) {
      const spec::Signal& signal = spec.signals[i];
      signal_rows.push_back(
          {signal.id, signal.title, series[i], signal.unit, WithoutCoverage(spec.coverage, signal.id)});
    }
  }

  void AddThresholds() {
    const IndexById signals = IndexRows(signal_rows);
    const IndexById verdicts = IndexRows(verdict_rows);
    for (const spec::Threshold& threshold : spec.thresholds) {
      alerts.push_back(spec::AlertName(spec.store, threshold.id));
    }
    for (std::size_t i = 0; i < spec.thresholds.size(); ++i) {
      const spec::Threshold& threshold = spec.thresholds[i];
      threshold_rows.push_back({threshold.id, alerts[i], IndexOf(signals, threshold.signal),
                                IndexOf(verdicts, threshold.verdict), threshold.direction, threshold.limit,
                                threshold.hold.count(), threshold.because});
    }
  }

  void FillTable() {
    table.store = spec.store.name;
    table.title = spec.store.title;
    table.sufficient = spec.store.sufficient;
    table.next = spec.store.next;
    table.present = spec.store.present;
    table.digest = spec.digest;
    table.interval_ms = spec.rules.interval.count();
    table.scrape_interval_ms = spec.rules.scrape_interval.count();
    table.keep_firing_for_ms = spec.rules.keep_firing_for.value_or(Milliseconds(0)).count();
    table.coverage_series = coverage_series;
    table.coverage_minimum = spec.coverage ? spec.coverage->minimum : 0;
    table.identity = identity;
    table.verdicts = verdict_rows;
    table.signals = signal_rows;
    table.thresholds = threshold_rows;
  }
};

const Table& OwnedTable::table() const { return rows_->table; }

OwnedTable MakeTable(const spec::Spec& spec) {
  return OwnedTable(std::make_shared<const OwnedTable::Rows>(spec));
}

}  // namespace outgrown::plan
