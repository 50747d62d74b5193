// When one threshold's condition was known over a period (--since), and what may have hidden where it was not.
//
//     evaluations    F  F  T  T  T  .  T  T  F  F     T, F: the condition was known; .: a sample is missing
//                       └──────── run ────────┘
//
// Between two evaluations at which the condition was false no alert fires unless the run is as long as `for`. So a run
// that is too short hides nothing. A run that is long enough, and in which a value was seen beyond the limit,
// may hide a breach: its gaps are never tolerated. Where no value was seen beyond the limit, missing samples
// are tolerated up to BridgedMsMax. What is known to be wrong (uncounted writes, a value that is not finite,
// a failed query) is never tolerated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "decision/engine/cause.h"
#include "thresholds/table.h"

namespace outgrown::decision {

// The longest single gap that is tolerated: Prometheus itself shows a sample for that long
// (--query.lookback-delta's default), and the shipped rates look back as far from the first sample after the gap.
inline constexpr std::int64_t kBridgedMs = 300'000;

// How much of a period may be missing in all: a hundredth of it, as much as one stretch if that is more, and never more
// than a tenth.
std::int64_t BridgedMsMax(std::int64_t period_ms);

// What was not known of one threshold.
struct Unknown {
  // From the evaluation before to the one after; only those that keep the period from being sufficient, and of these
  // the first kStretchesMax.
  std::vector<std::pair<std::int64_t, std::int64_t>> stretches;
  engine::Cause cause = engine::Cause::kNone;  // of the first stretch; kUnmeasured: samples are missing
  std::int64_t total_ms = 0;                   // what is missing in all, what is tolerated included
};

inline constexpr std::size_t kStretchesMax = 16;

class KnownTime {
 public:
  KnownTime(const ThresholdRow& threshold, std::int64_t interval_ms, std::int64_t from_ms);

  enum class Condition { kFalse, kTrue, kBreached };

  // At the evaluation of `time_ms` the condition was known; kBreached: true for `for` too. Times ascend; those before
  // the period say in which state it begins.
  void Known(std::int64_t time_ms, Condition condition);

  // Until the next Known the condition is not known. kUnmeasured: samples are missing, as if nothing had been said.
  void NotKnown(engine::Cause cause);

  // Ends the period at `to_ms`: nothing is known or not known after this.
  void End(std::int64_t to_ms);

  // Gaps that are longer than is ever tolerated, each from the evaluation before to the one after. After End.
  std::vector<std::pair<std::int64_t, std::int64_t>> Gaps() const;
  // The store was stopped in that gap, so that nothing was missed.
  void Stopped(std::pair<std::int64_t, std::int64_t> gap);

  // After End.
  Unknown Finish();

 private:
  struct Stretch {
    std::int64_t from_ms;
    std::int64_t to_ms;
    engine::Cause cause;
  };

  bool Missing() const { return cause_ == engine::Cause::kNone || cause_ == engine::Cause::kUnmeasured; }
  // What a stretch of that length adds to `total_ms_`: the evaluations at its ends are not missing.
  std::int64_t MissingMs(const Stretch& stretch) const;
  void AddStretch(std::int64_t to_ms);
  void CloseRun(std::int64_t false_ms);
  static void Keep(std::vector<Stretch>& stretches, const Stretch& stretch);

  std::int64_t hold_ms_;
  std::int64_t interval_ms_;
  std::int64_t from_ms_;
  std::int64_t to_ms_ = 0;
  std::int64_t known_ms_;      // the last evaluation at which the condition was known
  std::int64_t run_start_ms_;  // the last at which it was false
  bool run_beyond_ = false;    // seen true since
  bool run_breached_ = false;
  engine::Cause cause_ = engine::Cause::kNone;  // of the present NotKnown
  std::vector<Stretch> in_run_;                 // tolerated unless the run hides something
  std::vector<Stretch> tolerated_;
  std::vector<Stretch> counted_;
  std::int64_t total_ms_ = 0;
};

}  // namespace outgrown::decision
