#include "decision/measure.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "common/duration.h"
#include "decision/stores.h"

namespace outgrown::evaluate {
namespace {

using decide::Cause;

// Asks for one recorded series of all stores and puts each store's samples where `samples_of` says.
template <typename SamplesOf>
QueryDone MeasureSeries(std::string_view series_name, std::int64_t range_ms,
                        prometheus_api::QuerySource& source, StoreList& list, FleetSamples& fleet,
                        SamplesOf samples_of) {
  QueryDone done;
  const std::string promql = fmt::format("{}[{}]", series_name, FormatDuration(Milliseconds(range_ms)));
  Result<prometheus_api::Answer> answer =
      Ask(source, promql, prometheus_api::ResultType::kMatrix, done, fleet);
  if (!answer) return done;
  if (std::string misfit = Misfit(*answer, series_name, fleet.time_ms, range_ms); !misfit.empty()) {
    Fail(done, Cause::kQueryFailed, std::move(misfit), fleet);
    return done;
  }
  std::size_t strangers = 0;
  for (prometheus_api::Series& series : answer->series) {
    StoreSamples* const store = list.FindOrAdd(series.labels, Cause::kPresenceUnknown);
    if (store == nullptr) {
      ++strangers;
      continue;
    }
    AddSeries(std::move(series.samples), samples_of(*store));
  }
  if (strangers > 0) {
    fleet.nameless = true;
    fleet.warnings.push_back(
        fmt::format("{}: {} series lack an identity label and name no store", promql, strangers));
  }
  return done;
}

// A query's cause stands for every store, those included that only a later query has shown.
void ApplyCause(const QueryDone& done, SignalSamples& samples) {
  if (done.cause != Cause::kNone) samples.cause = done.cause;
  if (samples.cause != Cause::kNone) samples.samples.clear();
}

// Asks for every signal and the coverage.
void MeasureSignals(const Table& table, prometheus_api::QuerySource& source, std::int64_t history_ms,
                    StoreList& list, FleetSamples& fleet) {
  for (std::size_t signal = 0; signal < table.signals.size(); ++signal) {
    const std::int64_t range_ms = WindowMs(table, signal) + history_ms;
    fleet.signal_queries.push_back(
        MeasureSeries(table.signals[signal].series, range_ms, source, list, fleet,
                      [&](StoreSamples& store) -> SignalSamples& { return store.signals[signal]; }));
  }
  if (!table.coverage_series.empty()) {
    fleet.coverage_query =
        MeasureSeries(table.coverage_series, CoverageWindowMs(table) + history_ms, source, list, fleet,
                      [](StoreSamples& store) -> SignalSamples& { return store.coverage; });
  }
  fleet.stores = std::move(list.stores());
  for (StoreSamples& store : fleet.stores) {
    for (std::size_t signal = 0; signal < table.signals.size(); ++signal) {
      ApplyCause(fleet.signal_queries[signal], store.signals[signal]);
    }
    ApplyCause(fleet.coverage_query, store.coverage);
  }
}

}  // namespace

void AddSeries(std::vector<Sample> series, SignalSamples& signal) {
  std::vector<Sample>& samples = signal.samples;
  if (signal.cause == Cause::kAbsent) {
    signal.cause = Cause::kNone;
    samples = std::move(series);
    return;
  }
  if (series.front().time_ms < samples.front().time_ms) std::swap(series, samples);
  if (samples.back().time_ms >= series.front().time_ms) signal.cause = Cause::kSeveralSeries;
  samples.insert(samples.end(), series.begin(), series.end());
}

std::int64_t WindowMs(const Table& table, std::size_t signal) {
  std::int64_t hold_ms = 0;
  for (const ThresholdRow& threshold : table.thresholds) {
    if (threshold.signal == signal) hold_ms = std::max(hold_ms, threshold.hold_ms);
  }
  return hold_ms + 4 * table.interval_ms;
}

std::string Misfit(const prometheus_api::Answer& answer, std::string_view series_name, std::int64_t time_ms,
                   std::int64_t range_ms) {
  for (const prometheus_api::Series& series : answer.series) {
    if (prometheus_api::LabelValue(series.labels, "__name__") != series_name)
      return "the answer holds another series than was asked for";
    // One millisecond: the edge is in or out, as the server's version has it.
    if (series.samples.front().time_ms < time_ms - range_ms - 1 || series.samples.back().time_ms > time_ms) {
      return "the answer holds samples of another time than was asked for";
    }
  }
  return "";
}

std::int64_t CoverageWindowMs(const Table& table) {
  std::int64_t longest_ms = 0;
  for (std::size_t signal = 0; signal < table.signals.size(); ++signal) {
    longest_ms = std::max(longest_ms, WindowMs(table, signal));
  }
  return longest_ms + 2 * table.interval_ms;
}

std::span<const Sample> Upto(std::span<const Sample> samples, std::int64_t time_ms, std::int64_t window_ms) {
  const auto end = std::ranges::upper_bound(samples, time_ms, {}, &Sample::time_ms);
  const auto begin =
      std::ranges::lower_bound(samples.begin(), end, time_ms - window_ms, {}, &Sample::time_ms);
  return {begin, end};
}

FleetSamples Measure(const Table& table, prometheus_api::QuerySource& source, std::int64_t time_ms,
                     std::int64_t lookback_ms) {
  FleetSamples fleet;
  fleet.time_ms = time_ms;
  fleet.lookback_ms = lookback_ms;
  StoreList list(table);
  FindStores(table, source, list, fleet);
  const std::int64_t history_ms = list.stores().size() <= kDetailedStoresMax ? kHistoryMs : 0;
  MeasureSignals(table, source, history_ms, list, fleet);
  std::ranges::sort(fleet.stores, {}, &StoreSamples::identity);
  return fleet;
}

FleetSamples MeasureStores(const Table& table, prometheus_api::QuerySource& source, std::int64_t time_ms,
                           std::int64_t history_ms, const std::vector<std::vector<std::string>>& identities) {
  FleetSamples fleet;
  fleet.time_ms = time_ms;
  StoreList list(table);
  for (const std::vector<std::string>& identity : identities) list.Add(identity);
  MeasureSignals(table, source, history_ms, list, fleet);
  fleet.stores.resize(identities.size());  // those that were added first stand first
  return fleet;
}

}  // namespace outgrown::evaluate
