#include "decision/history/last_ends.h"

#include <algorithm>
#include <map>
#include <string_view>

namespace outgrown::history {
namespace {

// The end of the newest period; where none was decided about yet, the newest moment. 0 if there is neither before T. Behind vmalert T
// goes back by up to an interval from one run to the next (docs/adr/0006): the period is the last interval then.
std::int64_t EndOf(const Table& table, const decision_log::NewestDecision& one, std::int64_t time_ms) {
  const std::int64_t end_ms = one.period_ms > 0 ? one.period_ms : one.instant_ms;
  if (end_ms < time_ms) return end_ms;
  return end_ms <= time_ms + table.interval_ms ? time_ms - table.interval_ms : 0;
}

// Without an end: a day ago. An end that is longer ago than a period may be leaves a hole, which --history reports.
std::int64_t BeginOf(const Table& table, std::int64_t end_ms, std::int64_t time_ms) {
  constexpr std::int64_t kDayMs = 24LL * 3'600'000;
  if (end_ms == 0) return time_ms - kDayMs;
  return std::max(end_ms, time_ms - kPeriodEvaluationsMax * table.interval_ms);
}

}  // namespace

std::int64_t LookbackMs(const decision_log::NewestDecisions& newest, const Table& table,
                        std::int64_t time_ms) {
  std::int64_t latest_ms = 0;
  for (const decision_log::NewestDecision& one : newest.decisions) {
    if (one.spec == table.store) latest_ms = std::max(latest_ms, EndOf(table, one, time_ms));
  }
  return time_ms - BeginOf(table, latest_ms, time_ms);
}

std::vector<decision::PeriodBegin> PeriodBegins(const decision_log::NewestDecisions& newest,
                                                const decision::Evaluation& evaluation) {
  // The log has the labels sorted by name, the evaluation in the order of the spec.
  std::map<std::pair<std::string_view, decision_log::Labels>, const decision_log::NewestDecision*> by_store;
  for (const decision_log::NewestDecision& one : newest.decisions) by_store[{one.spec, one.labels}] = &one;
  std::vector<decision::PeriodBegin> begins;
  for (const decision::StoreDecision& store : evaluation.stores) {
    decision_log::Labels labels = store.labels;
    std::ranges::sort(labels);
    const auto found = by_store.find({evaluation.table->store, std::move(labels)});
    const std::int64_t end_ms =
        found == by_store.end() ? 0 : EndOf(*evaluation.table, *found->second, evaluation.time_ms);
    begins.push_back({BeginOf(*evaluation.table, end_ms, evaluation.time_ms), end_ms != 0});
  }
  return begins;
}

}  // namespace outgrown::history
