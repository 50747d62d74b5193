// Measuring: which stores there are, and the raw recorded samples of each of their signals, at one instant T.
//
// A handful of queries for the whole fleet, however many stores there are: two about the stores themselves, one for each
// signal, one for the coverage; and where a store has fallen silent, one for each 26 hours that are looked back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "decision/engine/cause.h"
#include "decision/engine/window.h"
#include "prometheus/prometheus_client.h"
#include "thresholds/table.h"

namespace outgrown::evaluate {

// One recorded series of one store.
struct SignalSamples {
  decide::Cause cause = decide::Cause::kAbsent;  // not kNone: why there is nothing to judge
  std::vector<Sample> samples;                   // strictly ascending, none after T
};

struct StoreSamples {
  std::vector<std::string> identity;  // the values of Table::identity, in its order
  decide::Cause presence = decide::Cause::kNone;
  std::optional<std::int64_t> last_seen_ms;  // of a silent store; nothing if that is not known
  std::vector<SignalSamples> signals;        // by index of Table::signals
  SignalSamples coverage;
};

// A query of the run, as the decision log records it.
struct QueryDone {
  std::string promql;
  decide::Cause cause = decide::Cause::kNone;  // kQueryFailed, kPartialAnswer
  std::string problem;                         // in the server's words or ours; "" if it was answered whole
};

struct FleetSamples {
  std::int64_t time_ms = 0;               // T
  std::int64_t lookback_ms = 0;           // how far before T the presence of stores was asked for
  std::vector<StoreSamples> stores;       // sorted by identity
  std::vector<QueryDone> signal_queries;  // by index of Table::signals
  QueryDone coverage_query;               // promql "" if the table has no coverage
  std::vector<QueryDone> presence_queries;
  std::vector<std::string> warnings;  // for people: what the server or its answers said beside the values
  bool answered = false;              // at least one query was
  bool nameless = false;  // a series lacks an identity label: something is there that nobody has judged
};

// With at most kDetailedStoresMax stores the samples reach kHistoryMs further back than the thresholds need, so that
// reports can tell since when something has lasted.
inline constexpr std::size_t kDetailedStoresMax = 8;
inline constexpr std::int64_t kHistoryMs = 6LL * 3'600'000;

// How many samples one query of a period may bring: some 30 MB of JSON.
inline constexpr std::int64_t kSamplesMax = 1'000'000;

// How far before T a store must have been seen to be one: a day, as the timer's decisions are apart, and two hours for
// a late one.
inline constexpr std::int64_t kLookbackMs = 26LL * 3'600'000;

// The stores are those of the last `lookback_ms` before T.
FleetSamples Measure(const Table& table, prometheus_api::QuerySource& source, std::int64_t time_ms,
                     std::int64_t lookback_ms);

// The samples of stores that are known already, reaching `history_ms` further back than the thresholds need. Stores
// that only these samples show are left out.
FleetSamples MeasureStores(const Table& table, prometheus_api::QuerySource& source, std::int64_t time_ms,
                           std::int64_t history_ms, const std::vector<std::vector<std::string>>& identities);

// The range that JudgeWindow may look at for this signal: its longest `for`, the two intervals by which the newest
// sample may be late, and the one evaluation before the window, which may be half an interval late itself.
std::int64_t WindowMs(const Table& table, std::size_t signal);

// The range of the coverage's samples that go with the windows of all signals: a sample is covered by a coverage sample
// of up to two intervals before it.
std::int64_t CoverageWindowMs(const Table& table);

// The samples at or before `time_ms` and at most `window_ms` before it.
std::span<const Sample> Upto(std::span<const Sample> samples, std::int64_t time_ms, std::int64_t window_ms);

// Adds a series to a store's signal. Two series that follow each other in time are one that changed a label; two at the
// same time are two answers to one question. Precondition: not empty.
void AddSeries(std::vector<Sample> series, SignalSamples& signal);

// Why an answer is not one to `series[range]` at `time_ms`; "" if it is.
std::string Misfit(const prometheus_api::Answer& answer, std::string_view series_name, std::int64_t time_ms,
                   std::int64_t range_ms);

}  // namespace outgrown::evaluate
