#include "decision/engine/window.h"

#include <cmath>

namespace outgrown::engine {
namespace {

// The condition at one evaluation. kUnknown carries the cause.
struct Truth {
  enum class Value : std::uint8_t { kFalse, kTrue, kUnknown } value;
  Cause cause = Cause::kNone;
};

// kNone: covered at `time_ms`, by the newest coverage sample of the two intervals before it.
Cause CoverageAt(const Coverage& coverage, std::int64_t time_ms, std::int64_t interval_ms) {
  if (coverage.reading.cause != Cause::kNone) return Cause::kCoverageUnknown;
  const std::span<const Sample> samples = coverage.reading.samples;
  // From the newest, which is the one in almost every call.
  for (std::size_t index = samples.size(); index-- > 0;) {
    const Sample& sample = samples[index];
    if (sample.time_ms > time_ms) continue;
    if (sample.time_ms < time_ms - 2 * interval_ms || !std::isfinite(sample.value))
      return Cause::kCoverageUnknown;
    if (sample.value < coverage.minimum) return Cause::kNotCovered;
    return sample.value > coverage.maximum ? Cause::kOvercounted : Cause::kNone;
  }
  return Cause::kCoverageUnknown;
}

Truth TruthAt(const ThresholdRow& threshold, const Sample& sample, const Coverage& coverage,
              std::int64_t interval_ms) {
  if (!std::isfinite(sample.value)) return {Truth::Value::kUnknown, Cause::kNotFinite};
  const bool beyond = Beyond(threshold, sample.value);
  if (coverage.uncovered != Uncovered::kValid) {
    // A lower bound above an `above` limit proves the breach; one that is not below a `below` limit proves
    // that there is none. Both hold whatever was not counted, so coverage is not looked at.
    const bool proven =
        coverage.uncovered == Uncovered::kLowerBound && beyond == (threshold.direction == Direction::kAbove);
    if (!proven) {
      const Cause cause = CoverageAt(coverage, sample.time_ms, interval_ms);
      // Above the maximum a lower_bound signal's expression uses the store's own commits (docs/spec.md), so
      // it is valid.
      const bool by_commits = cause == Cause::kOvercounted && coverage.uncovered == Uncovered::kLowerBound;
      if (cause != Cause::kNone && !by_commits) return {Truth::Value::kUnknown, cause};
    }
  }
  return {beyond ? Truth::Value::kTrue : Truth::Value::kFalse};
}

Finding Unknown(Cause cause, std::size_t samples_used) {
  return {.state = State::kUnknown, .cause = cause, .samples_used = samples_used};
}

}  // namespace

std::string_view StateId(State state) {
  switch (state) {
    case State::kNotBreached:
      return "not_breached";
    case State::kPending:
      return "pending";
    case State::kBreached:
      return "breached";
    case State::kUnknown:
      return "unknown";
  }
  return "unknown";
}

bool Beyond(const ThresholdRow& threshold, double value) {
  // As the generated alert, whose expression ends with `< +Inf` or is false for NaN.
  if (!std::isfinite(value)) return false;
  return threshold.direction == Direction::kAbove ? value > threshold.limit : value < threshold.limit;
}

Finding JudgeWindow(const ThresholdRow& threshold, const Reading& signal, const Coverage& coverage,
                    const Clock& clock) {
  if (signal.cause != Cause::kNone) return Unknown(signal.cause, 0);
  if (signal.samples.empty()) return Unknown(Cause::kAbsent, 0);

  const std::size_t count = signal.samples.size();
  const auto at = [&](std::size_t back) -> const Sample& { return signal.samples[count - 1 - back]; };
  const std::int64_t newest_ms = at(0).time_ms;
  // Up to two intervals: the next evaluation may be due at this moment, and its samples take a while to show.
  if (newest_ms < clock.time_ms - 2 * clock.interval_ms) return Unknown(Cause::kStale, 1);

  const std::int64_t window_start_ms = newest_ms - threshold.hold_ms;
  Finding finding;  // filled as the walk goes back; breached once it has passed the window's start
  for (std::size_t back = 0; back < count; ++back) {
    const Sample& sample = at(back);
    const bool proven = finding.state == State::kBreached;  // beyond the window only "since when" can change
    // More than one and a half intervals: an evaluation is missing between the two (window.h). Doubled to
    // stay in integers.
    if (back > 0 && 2 * (at(back - 1).time_ms - sample.time_ms) > 3 * clock.interval_ms) {
      return proven ? finding : Unknown(Cause::kHole, back + 1);
    }
    const Truth truth = TruthAt(threshold, sample, coverage, clock.interval_ms);
    if (truth.value == Truth::Value::kUnknown) return proven ? finding : Unknown(truth.cause, back + 1);
    if (truth.value == Truth::Value::kFalse) {
      // However short the history: what is false now is not breached.
      if (back == 0) return {.state = State::kNotBreached, .samples_used = 1};
      finding.since_exact = true;
      if (proven) return finding;
      finding.state = State::kPending;
      finding.samples_used = back + 1;
      return finding;
    }
    finding.since_ms = sample.time_ms;
    if (!proven && sample.time_ms <= window_start_ms) {
      finding.state = State::kBreached;
      finding.samples_used = back + 1;
    }
  }
  return finding.state == State::kBreached ? finding : Unknown(Cause::kTooFewSamples, count);
}

}  // namespace outgrown::engine
