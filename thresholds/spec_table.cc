#include "thresholds/spec_table.h"

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
#include "common/text.h"
#include "thresholds/names.h"
#include "thresholds/promql.h"

namespace outgrown::spec {
namespace {

// Views into the rows, which outlive the index.
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
  // Without [coverage] nobody says that counting can be incomplete.
  if (!coverage) return Uncovered::kValid;
  if (std::ranges::count(coverage->unknown, signal) > 0) return Uncovered::kUnknown;
  if (std::ranges::count(coverage->lower_bound, signal) > 0) return Uncovered::kLowerBound;
  return Uncovered::kValid;
}

// The longest range of the expression, subqueries and offsets left aside.
// A store is measured for its whole window only when it has existed for so long; a nested subquery looks back
// farther than its parts say, which is accepted.
std::int64_t WindowOf(std::string_view expr) {
  Milliseconds longest{0};
  for (const spec::RangeUse& range : spec::FindReferences(expr).ranges)
    longest = std::max(longest, range.duration);
  return longest.count();
}

}  // namespace

struct OwnedTable::Rows {
  // A copy of the spec owns the texts, and the vectors own what is made of them. No vector grows after a view
  // into its strings was taken: a short string is stored inside of the object, so moving it would move its
  // text.
  spec::Spec spec;
  std::vector<std::string> series;  // of each signal
  std::vector<std::string> splits;  // of each signal; "" if it is not split
  std::vector<std::string> alerts;  // of each threshold
  std::string coverage_series;
  std::string reason_series;
  std::vector<ReasonRow> reason_rows;
  std::vector<std::string_view> identity;
  std::vector<VerdictRow> verdict_rows;
  std::vector<SignalRow> signal_rows;
  std::vector<AdviceRow> advice_rows;
  std::vector<ThresholdRow> threshold_rows;
  Table table;

  explicit Rows(spec::Spec from) : spec(std::move(from)) {
    identity.assign(spec.store.identity.begin(), spec.store.identity.end());
    if (spec.coverage) {
      coverage_series = spec::CoverageSeries(spec.store);
      if (!spec.coverage->reason.empty()) reason_series = spec::ReasonSeries(spec.store);
      for (const auto& [id, sentence] : spec.coverage->reasons) reason_rows.push_back({id, sentence});
    }
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
    for (const spec::Signal& signal : spec.signals) {
      series.push_back(spec::RecordedSeries(spec.store, signal.id));
      splits.push_back(signal.split.empty() ? "" : spec::SplitSeries(spec.store, signal.id));
    }
    // A second loop, since `series` and `splits` would grow while rows point into them.
    for (std::size_t i = 0; i < spec.signals.size(); ++i) {
      const spec::Signal& signal = spec.signals[i];
      signal_rows.push_back({signal.id, signal.title, series[i], signal.unit,
                             WithoutCoverage(spec.coverage, signal.id), splits[i], WindowOf(signal.expr)});
      if (!signal.ceiling.empty()) {
        const auto other = std::ranges::find(spec.signals, signal.ceiling, &spec::Signal::id);
        signal_rows.back().ceiling = static_cast<std::uint16_t>(other - spec.signals.begin());
      }
      for (const auto& [reason, sentence] : signal.advice)
        advice_rows.push_back({static_cast<std::uint16_t>(i), reason, sentence});
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
    table.modified = spec.store.modified;
    table.digest = spec.digest;
    table.interval_ms = spec.rules.interval.count();
    table.scrape_interval_ms = spec.rules.scrape_interval.count();
    table.keep_firing_for_ms = spec.rules.keep_firing_for.value_or(Milliseconds(0)).count();
    table.coverage_series = coverage_series;
    table.coverage_minimum = spec.coverage ? spec.coverage->minimum : 0;
    if (spec.coverage) {
      table.coverage_maximum = spec.coverage->maximum;
      table.coverage_window_ms = WindowOf(spec.coverage->expr);
    }
    table.reason_series = reason_series;
    table.reasons = reason_rows;
    table.identity = identity;
    table.verdicts = verdict_rows;
    table.signals = signal_rows;
    table.advice = advice_rows;
    table.thresholds = threshold_rows;
  }
};

const Table& OwnedTable::table() const { return rows_->table; }

OwnedTable MakeTable(const spec::Spec& spec) {
  return OwnedTable(std::make_shared<const OwnedTable::Rows>(spec));
}

}  // namespace outgrown::spec
