// Fetching the samples that decisions look at, of all stores at once (measure.h).
#include <algorithm>
#include <functional>
#include <numeric>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "decision/measure/measure.h"

namespace outgrown::decision {
namespace {

using engine::Cause;
using prometheus_api::Trust;

Cause CauseOf(Trust trust, std::string_view series, const FleetNotes& fleet) {
  switch (trust) {
    case Trust::kUsable:
      return std::ranges::count(fleet.rules_differ, series, &prometheus_api::RulesDiffer::series) > 0
                 ? Cause::kRulesDiffer
                 : Cause::kNone;
    case Trust::kPartial:
      return Cause::kPartialAnswer;
    case Trust::kFailed:
      break;
  }
  return Cause::kQueryFailed;
}

// Prometheus evaluates an expression of a range query at multiples of the step from its start: on the rules'
// grid two runs ask for the same points.
std::int64_t FloorTo(std::int64_t time_ms, std::int64_t step_ms) { return time_ms / step_ms * step_ms; }

// The signals in the order they are asked in: the longest answers first, so that little is left to read behind the last one.
std::vector<std::size_t> LongestFirst(const Table& table) {
  std::vector<std::size_t> signals(table.signals.size());
  std::iota(signals.begin(), signals.end(), std::size_t{0});
  std::ranges::stable_sort(signals, std::greater<>(),
                           [&table](std::size_t signal) { return WindowMs(table, signal); });
  return signals;
}

// Asks for one series of all stores and puts the samples where `fetched_of` says. Why an answer can't be used
// applies to every store.
template <typename FetchedOf>
prometheus_api::Asked FetchSeries(const Table& table, const SeriesChoice& choice, std::string_view series,
                                  std::int64_t window_ms, prometheus_api::QuerySource& source,
                                  std::int64_t from_ms, std::int64_t to_ms, StoreList& list,
                                  FleetNotes& fleet, FetchedOf fetched_of) {
  const std::int64_t step_ms = table.interval_ms;
  prometheus_api::Reply reply =
      choice.expr.empty()
          ? prometheus_api::AskSamples(source, series, to_ms, window_ms + to_ms - from_ms, fleet)
          : prometheus_api::AskRange(source, choice.expr, FloorTo(from_ms - window_ms, step_ms),
                                     FloorTo(to_ms, step_ms), step_ms, fleet);
  // Before the answer is looked at: after a failed query nothing of the stretch before may be taken for this
  // one's.
  for (Store& store : list.stores()) fetched_of(store) = {};
  std::size_t without_identity = 0;
  for (prometheus_api::Series& one : reply.series) {
    Store* const store = list.FindOrAdd(one.labels, Cause::kPresenceUnknown);
    if (store == nullptr) {
      ++without_identity;
    } else {
      fetched_of(*store).series.push_back(std::move(one.samples));
    }
  }
  if (without_identity > 0) {
    fleet.without_identity = true;
    fleet.Warn(fmt::format("{}: {} series lack an identity label, so they belong to no store",
                           reply.asked.promql, without_identity));
  }
  return std::move(reply.asked);
}

}  // namespace

SeriesChoices AllRecorded(const Table& table) {
  SeriesChoices choices;
  choices.signals.resize(table.signals.size());
  return choices;
}

void PrepareSamples(const Table& table, const SeriesChoices& choices, prometheus_api::QuerySource& source,
                    std::int64_t from_ms, std::int64_t to_ms) {
  std::vector<prometheus_api::Question> questions;
  const auto recorded = [&](const SeriesChoice& choice, std::string_view series, std::int64_t window_ms) {
    if (choice.expr.empty())
      questions.push_back(prometheus_api::SamplesQuestion(series, to_ms, window_ms + to_ms - from_ms));
  };
  if (!table.coverage_series.empty())
    recorded(choices.coverage, table.coverage_series, CoverageWindowMs(table));
  for (const std::size_t signal : LongestFirst(table))
    recorded(choices.signals[signal], table.signals[signal].series, WindowMs(table, signal));
  source.Prepare(std::move(questions));
}

SampleQueries FetchSamples(const Table& table, const SeriesChoices& choices,
                           prometheus_api::QuerySource& source, std::int64_t from_ms, std::int64_t to_ms,
                           StoreList& list, FleetNotes& fleet) {
  SampleQueries queries;
  queries.signal_queries.resize(table.signals.size());
  if (!table.coverage_series.empty()) {
    queries.coverage_query =
        FetchSeries(table, choices.coverage, table.coverage_series, CoverageWindowMs(table), source, from_ms,
                    to_ms, list, fleet, [](Store& store) -> Fetched& { return store.coverage; });
  }
  for (const std::size_t signal : LongestFirst(table)) {
    queries.signal_queries[signal] = FetchSeries(
        table, choices.signals[signal], table.signals[signal].series, WindowMs(table, signal), source,
        from_ms, to_ms, list, fleet, [signal](Store& store) -> Fetched& { return store.signals[signal]; });
  }
  // After all queries, because a later one may have added stores that an earlier one did not show.
  for (Store& store : list.stores()) {
    for (std::size_t signal = 0; signal < table.signals.size(); ++signal)
      store.signals[signal].cause =
          CauseOf(queries.signal_queries[signal].trust, table.signals[signal].series, fleet);
    store.coverage.cause = CauseOf(queries.coverage_query.trust, table.coverage_series, fleet);
  }
  return queries;
}

}  // namespace outgrown::decision
