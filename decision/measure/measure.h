// Measuring: the raw recorded samples of every store's signals, fetched for a stretch of time, and what of
// them a decision at one instant looks at.
//
// A handful of queries for the whole fleet, however many stores there are: two about the stores themselves,
// one for each signal, one for the coverage; and where a store has fallen silent, one for each 26 hours that
// are looked back.
//
// --evaluate decides at one instant, --since at every evaluation of a period, --backtest at every step of
// one: all three fetch and read here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "decision/engine/decide.h"
#include "decision/measure/stores.h"
#include "prometheus/prometheus_client.h"
#include "thresholds/table.h"

namespace outgrown::decision {

// How much further back than the thresholds need the samples of that many stores reach, so that reports can
// say since when something has lasted: nothing for many stores.
inline constexpr std::int64_t kHistoryMs = 6LL * 3'600'000;
std::int64_t HistoryMs(std::size_t stores);

// Where a signal is read from: the series that was recorded, or an expression that is asked on the rules' grid.
struct SeriesChoice {
  std::string title;   // the signal's, or "Coverage"
  std::string expr;    // "": the recorded series
  std::string reason;  // why it is not the recorded series
};

struct SeriesChoices {
  std::vector<SeriesChoice> signals;  // by index of Table::signals
  SeriesChoice coverage;
};

// The recorded series throughout.
SeriesChoices AllRecorded(const Table& table);

// The queries about the samples, as the decision log records them.
struct SampleQueries {
  std::vector<QueryDone> signal_queries;  // by index of Table::signals
  QueryDone coverage_query;               // promql "" if the table has no coverage
};

// Prepares the questions that FetchSamples will ask (QuerySource::Prepare).
void PrepareSamples(const Table& table, const SeriesChoices& choices, prometheus_api::QuerySource& source,
                    std::int64_t from_ms, std::int64_t to_ms);

// Replaces what `list` holds of every signal and of the coverage by what decisions from `from_ms` to `to_ms`
// look at. Adds the stores that only these samples show.
SampleQueries FetchSamples(const Table& table, const SeriesChoices& choices,
                           prometheus_api::QuerySource& source, std::int64_t from_ms, std::int64_t to_ms,
                           StoreList& list, FleetNotes& fleet);

// One store at one instant: what --evaluate reads there, and what it decides. To be used again for the next instant.
class StoreAt {
 public:
  explicit StoreAt(const Table& table);

  // Takes the readings; they live as long as `store`, and until the next call. `history_ms`: how much further
  // back than the windows --evaluate would have looked.
  void Read(const Store& store, std::int64_t time_ms, std::int64_t history_ms = kHistoryMs);
  // Decides on them.
  engine::Decision Decide(engine::Cause presence);

  bool any_sample() const;
  const engine::Reading& signal(std::size_t index) const { return readings_[index]; }
  const engine::Reading& coverage() const { return coverage_; }
  std::int64_t window_ms(std::size_t index) const { return windows_ms_[index]; }
  std::int64_t coverage_window_ms() const { return coverage_window_ms_; }
  const std::vector<engine::Finding>& findings() const { return findings_; }

 private:
  const Table& table_;
  std::vector<std::int64_t> windows_ms_;  // by index of Table::signals
  std::int64_t coverage_window_ms_;
  std::int64_t time_ms_ = 0;
  std::vector<engine::Reading> readings_;  // by index of Table::signals
  std::vector<std::vector<Sample>> merged_;
  engine::Reading coverage_;
  std::vector<Sample> coverage_merged_;
  std::vector<engine::Finding> findings_;  // by index of Table::thresholds
};

// One recorded series of one store.
struct SignalSamples {
  engine::Cause cause = engine::Cause::kAbsent;  // not kNone: why there is nothing to judge, or not all
  std::vector<Sample> samples = {};              // strictly ascending, none after T
  std::vector<Sample> earlier = {};              // those before, that are not judged: only where alerts lag
};

// What a decision about one store at T rests on.
struct StoreSamples {
  Identity identity;
  engine::Cause presence = engine::Cause::kNone;
  std::optional<std::int64_t> last_seen_ms;       // of a silent store; nothing if that is not known
  std::optional<std::int64_t> measured_since_ms;  // where the window is not full; likewise
  std::int64_t window_ms = 0;                     // where it is not full: how long it has to be
  std::vector<SignalSamples> signals;             // by index of Table::signals
  SignalSamples coverage;
  // Why the coverage is what it is, as sentences; only where it is not in order.
  std::vector<std::string> coverage_reasons;
};

struct FleetSamples : FleetNotes, SampleQueries {
  std::vector<StoreSamples> stores;  // sorted by identity
};

// The stores of the last `lookback_ms` before T, with their samples, and `history_ms` of those before what the thresholds
// need. `rules_differ`: FleetNotes'.
FleetSamples Measure(const Table& table, prometheus_api::QuerySource& source, std::int64_t time_ms,
                     std::int64_t lookback_ms, std::int64_t history_ms = 0,
                     const std::vector<prometheus_api::RulesDiffer>& rules_differ = {});

// The range that JudgeWindow may look at for this signal: its longest `for`, the two intervals by which the newest
// sample may be late, and the one evaluation before the window, which may be half an interval late itself.
std::int64_t WindowMs(const Table& table, std::size_t signal);

// The range of the coverage's samples that go with the windows of all signals: a sample is covered by a coverage sample
// of up to two intervals before it.
std::int64_t CoverageWindowMs(const Table& table);

// The samples at or before `time_ms` and at most `window_ms` before it.
std::span<const Sample> Upto(std::span<const Sample> samples, std::int64_t time_ms, std::int64_t window_ms);

// What a judgement at `time_ms` looks at: the window, and the newest sample of up to `history_ms` before it,
// which separates a gap at its start from a history that begins there, and shows that a series stopped. Two
// series that follow each other are one that changed a label; two at the same time contradict each other.
// `merged` holds the samples of several series.
engine::Reading ReadingAt(const Fetched& fetched, std::int64_t time_ms, std::int64_t window_ms,
                          std::int64_t history_ms, std::vector<Sample>& merged);

}  // namespace outgrown::decision
