#include "decision/measure/walk.h"

#include <algorithm>

namespace outgrown::decision {
namespace {

// How many samples one query may bring: some 30 MB of JSON.
constexpr std::int64_t kSamplesMax = 1'000'000;
// However many stores there are, a stretch has this many evaluations, or a large fleet's walk would take a
// query for each.
constexpr std::int64_t kEvaluationsMin = 20;

// How long a stretch may be. Each answer also holds the window before the stretch, for its first instants to
// be judged.
std::int64_t LongestMs(const Table& table, std::size_t stores) {
  const std::int64_t evaluations = kSamplesMax / std::max<std::int64_t>(1, static_cast<std::int64_t>(stores));
  return std::max(kEvaluationsMin * table.interval_ms,
                  evaluations * table.interval_ms - CoverageWindowMs(table));
}

}  // namespace

Result<void> Walk(const Table& table, const SeriesChoices& choices, const Course& course,
                  prometheus_api::QuerySource& source, StoreList& list, FleetNotes& notes, Visitor& visitor) {
  StoreAt at(table);
  for (Stretch stretch{.after_ms = course.after_ms}; stretch.after_ms < course.to_ms;
       stretch.after_ms = stretch.until_ms) {
    // Again for each stretch: stores that the samples have shown since make it shorter.
    const std::size_t stores = std::max(course.stores_expected, list.stores().size());
    const std::int64_t history_ms = course.with_history ? HistoryMs(stores) : 0;
    const std::int64_t steps = std::clamp<std::int64_t>(
        (LongestMs(table, stores) - history_ms) / course.step_ms, 1, course.steps_max);
    const std::int64_t left = (course.to_ms - stretch.after_ms + course.step_ms - 1) / course.step_ms;
    stretch.until_ms = std::min(course.to_ms, stretch.after_ms + std::min(steps, left) * course.step_ms);
    if (const Result<void> begun = visitor.Begin(stretch); !begun) return begun.error();
    PrepareSamples(table, choices, source, stretch.after_ms - history_ms, stretch.until_ms);
    FetchSamples(table, choices, source, stretch.after_ms - history_ms, stretch.until_ms, list, notes);
    // Store by store, so that one StoreAt serves them all and its buffers are used again.
    for (std::size_t store = 0; store < list.stores().size(); ++store) {
      for (const std::int64_t time_ms : visitor.Instants(store, stretch)) visitor.Visit(store, time_ms, at);
    }
  }
  return {};
}

}  // namespace outgrown::decision
