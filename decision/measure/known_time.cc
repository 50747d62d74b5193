#include "decision/measure/known_time.h"

#include <algorithm>

namespace outgrown::decision {

using engine::Cause;

std::int64_t BridgedMsMax(std::int64_t period_ms) {
  // For a day 14 min, for an hour 5 min, for 20 minutes 2: a short period may not consist of gaps.
  return std::min(period_ms / 10, std::max(kBridgedMs, period_ms / 100));
}

KnownTime::KnownTime(const ThresholdRow& threshold, std::int64_t interval_ms, std::int64_t from_ms)
    : hold_ms_(threshold.hold_ms),
      interval_ms_(interval_ms),
      from_ms_(from_ms),
      known_ms_(from_ms),
      // Nothing is known of the time before, so the first run is taken as long enough to hold a breach.
      run_start_ms_(from_ms - 2 * (threshold.hold_ms + 4 * interval_ms)) {}

void KnownTime::Known(std::int64_t time_ms, Condition condition) {
  // One and a half intervals apart an evaluation is missing between the two, as for the window
  // (decision/engine/window.h).
  if (cause_ != Cause::kNone || 2 * (time_ms - known_ms_) > 3 * interval_ms_) AddStretch(time_ms);
  known_ms_ = time_ms;
  cause_ = Cause::kNone;
  if (condition == Condition::kFalse) {
    CloseRun(time_ms);
    return;
  }
  run_beyond_ = true;
  run_breached_ |= condition == Condition::kBreached;
}

void KnownTime::NotKnown(Cause cause) {
  // A known fault is not replaced by a later cause: it is what an operator can act on.
  if (Missing()) cause_ = cause;
}

void KnownTime::End(std::int64_t to_ms) {
  to_ms_ = to_ms;
  // A newest sample of up to two intervals ago is late, not missing. The end itself is judged by the decision
  // at the end.
  const bool open = !Missing() || to_ms - known_ms_ > 2 * interval_ms_;
  if (open) AddStretch(to_ms);
  CloseRun(open ? to_ms : known_ms_ + interval_ms_);
}

std::vector<std::pair<std::int64_t, std::int64_t>> KnownTime::Gaps() const {
  std::vector<std::pair<std::int64_t, std::int64_t>> gaps;
  for (const Stretch& stretch : counted_) {
    if (stretch.cause == Cause::kUnmeasured) gaps.emplace_back(stretch.from_ms, stretch.to_ms);
  }
  return gaps;
}

void KnownTime::Stopped(std::pair<std::int64_t, std::int64_t> gap) {
  std::erase_if(counted_, [&](const Stretch& stretch) {
    const bool same = stretch.cause == Cause::kUnmeasured && std::pair(stretch.from_ms, stretch.to_ms) == gap;
    if (same) total_ms_ -= MissingMs(stretch);
    return same;
  });
}

Unknown KnownTime::Finish() {
  Unknown unknown;
  unknown.total_ms = total_ms_;
  std::vector<Stretch> reported = std::move(counted_);
  // Beyond the limit for all of them together, every tolerated gap counts, so that the report shows where the
  // time went.
  if (total_ms_ > BridgedMsMax(to_ms_ - from_ms_))
    reported.insert(reported.end(), tolerated_.begin(), tolerated_.end());
  std::ranges::stable_sort(reported, {}, &Stretch::from_ms);
  if (!reported.empty()) unknown.cause = reported.front().cause;
  for (const Stretch& stretch : reported) {
    const std::int64_t end_ms = std::min(stretch.to_ms, to_ms_);
    // A run's hole covers the gaps inside of it.
    if (!unknown.stretches.empty() && stretch.from_ms < unknown.stretches.back().second) {
      unknown.stretches.back().second = std::max(unknown.stretches.back().second, end_ms);
    } else if (unknown.stretches.size() < kStretchesMax) {
      unknown.stretches.emplace_back(stretch.from_ms, end_ms);
    }
  }
  return unknown;
}

std::int64_t KnownTime::MissingMs(const Stretch& stretch) const {
  return std::max<std::int64_t>(0, stretch.to_ms - stretch.from_ms - interval_ms_);
}

// From the last known evaluation to `to_ms`.
void KnownTime::AddStretch(std::int64_t to_ms) {
  Stretch stretch = {known_ms_, to_ms, Missing() ? Cause::kUnmeasured : cause_};
  if (to_ms <= from_ms_) {  // before the period: only a run that reaches into it can make it count
    // One is enough to make the run count; kStretchesMax is kept for those within the period.
    if (in_run_.empty()) Keep(in_run_, stretch);
    return;
  }
  // The report is about the period: what lies before it is another run's.
  stretch.from_ms = std::max(stretch.from_ms, from_ms_);
  total_ms_ += MissingMs(stretch);
  Keep(Missing() && stretch.to_ms - stretch.from_ms <= kBridgedMs ? in_run_ : counted_, stretch);
}

// The condition is false at `false_ms`, as it was at the run's start. A breach between needs true evaluations
// that are `for` apart; the half interval is the jitter of engines that don't stamp evaluations exactly one
// interval apart.
void KnownTime::CloseRun(std::int64_t false_ms) {
  const bool long_enough = 2 * (false_ms - run_start_ms_) > 2 * hold_ms_ + 3 * interval_ms_;
  const bool may_hide = long_enough && run_beyond_ && !run_breached_ && false_ms > from_ms_;
  for (Stretch& stretch : in_run_) {
    if (may_hide) {
      stretch.cause = Cause::kHole;
      // The missing samples lie before the period, but the breach they may hide reaches into it, up to the
      // next false one.
      if (stretch.to_ms <= from_ms_) stretch = {from_ms_, false_ms, Cause::kHole};
      Keep(counted_, stretch);
    } else if (stretch.to_ms > from_ms_) {
      Keep(tolerated_, stretch);
    }
  }
  in_run_.clear();
  run_start_ms_ = false_ms;
  run_beyond_ = false;
  run_breached_ = false;
}

// Keeps no more than are reported; one is enough to make the threshold unknown.
void KnownTime::Keep(std::vector<Stretch>& stretches, const Stretch& stretch) {
  if (stretches.size() < kStretchesMax) stretches.push_back(stretch);
}

}  // namespace outgrown::decision
