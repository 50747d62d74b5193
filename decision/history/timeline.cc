#include "decision/history/timeline.h"

#include <algorithm>
#include <functional>

#include "decision/report/wording.h"

namespace outgrown::history {
namespace {

// The wording is that of --evaluate, which takes a store's whole decision.
decision::StoreDecision AsStore(const Table& table, const engine::Decision& decision) {
  decision::StoreDecision store;
  store.decision = decision;
  store.findings.resize(table.thresholds.size());
  if (decision.lead != engine::kNoThreshold && decision.outcome == engine::Outcome::kUndetermined) {
    store.findings[decision.lead].cause = decision.cause;
  }
  return store;
}

}  // namespace

Grid MakeGrid(std::int64_t to_ms, std::int64_t since_ms, std::int64_t step_ms) {
  // Counted from the end, so that the last instant is the one that was asked for.
  return {.from_ms = to_ms - since_ms / step_ms * step_ms,
          .to_ms = to_ms,
          .step_ms = step_ms,
          .begin_ms = to_ms - since_ms};
}

bool SameVerdict(const engine::Decision& a, const engine::Decision& b) {
  return a.outcome == b.outcome && a.verdict == b.verdict;
}

bool SameLine(const engine::Decision& a, const engine::Decision& b) {
  // Only a sufficient store's line names what is pending.
  const bool same_pending = a.outcome != engine::Outcome::kSufficient || a.pending == b.pending;
  return SameVerdict(a, b) && a.lead == b.lead && a.cause == b.cause && same_pending;
}

// Instants come in ascending order, so only the last interval can grow.
bool Append(const Grid& grid, std::int64_t time_ms, const engine::Decision& decision,
            StoreTimeline& timeline) {
  if (!timeline.intervals.empty()) {
    Interval& last = timeline.intervals.back();
    if (last.last_ms + grid.step_ms == time_ms && SameLine(last.decision, decision)) {
      last.last_ms = time_ms;
      last.decision.worse_unknown |= decision.worse_unknown;
      return false;
    }
  }
  timeline.intervals.push_back({time_ms, time_ms, decision});
  return true;
}

std::vector<VerdictTotal> Totals(const Table& table, const Grid& grid, const StoreTimeline& timeline) {
  std::vector<VerdictTotal> totals;
  const Interval* before = nullptr;
  for (const Interval& interval : timeline.intervals) {
    // Linear in the verdicts, which are few.
    auto total = std::ranges::find_if(
        totals, [&](const VerdictTotal& one) { return SameVerdict(one.decision, interval.decision); });
    if (total == totals.end()) {
      totals.push_back({.decision = interval.decision, .first_ms = interval.first_ms});
      total = totals.end() - 1;
    }
    const bool goes_on = before != nullptr && before->last_ms + grid.step_ms == interval.first_ms &&
                         SameVerdict(before->decision, interval.decision);
    // A change of the reason alone is not another beginning of the verdict.
    if (!goes_on) ++total->times;
    total->last_ms = interval.last_ms;
    total->length_ms += grid.LengthMs(interval.first_ms, interval.last_ms);
    before = &interval;
  }
  std::ranges::stable_sort(totals, std::greater<>(),
                           [&](const VerdictTotal& total) { return Badness(table, total.decision); });
  return totals;
}

int Badness(const Table& table, const engine::Decision& decision) {
  return decision::Badness(table, AsStore(table, decision));
}

std::string LineOf(const Table& table, const engine::Decision& decision) {
  return decision::VerdictLine(table, AsStore(table, decision));
}

}  // namespace outgrown::history
