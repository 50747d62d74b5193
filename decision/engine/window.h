// One threshold over one signal's recorded samples: was it breached at T, as Prometheus' alert with that
// `for` is?
//
// Walking back from E, the newest sample not after T:
//
//        E - for                        E    T
//   ──┬────┬────┬────┬────┬────┬────┬───┬────┼──▶ time, one recorded sample an interval
//     │    └── the first evaluation not after E - for: the walk ends here, all true: breached
//     └─────── not looked at, except for "since when"
//
// - not true at E: not breached, however short the history;
// - the first evaluation on the way back that is not true decides: false: pending; missing: unknown;
// - the history ends before the walk does: unknown (too few samples).
//
// Two neighbours further apart than one and a half intervals have an evaluation missing between them:
// Prometheus stamps a group's evaluations exactly one interval apart, other engines nearly so.
//
// Pure: no allocation, no I/O, no clock. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include "common/sample.h"
#include "decision/engine/cause.h"
#include "thresholds/table.h"

namespace outgrown::engine {

// What was read of one recorded series of one store: its samples, or why there are none to judge.
// Precondition where samples are judged: strictly ascending in time, none after T.
struct Reading {
  Cause cause = Cause::kNone;  // not kNone: the samples are not looked at
  std::span<const Sample> samples = {};
};

// What time it is, and how far apart evaluations are.
struct Clock {
  std::int64_t time_ms = 0;      // T
  std::int64_t interval_ms = 0;  // Table::interval_ms, > 0
};

enum class State : std::uint8_t { kNotBreached, kPending, kBreached, kUnknown };

// "not_breached", "pending", "breached", "unknown": the names of logs and JSON.
std::string_view StateId(State state);

// What was found of one threshold.
struct Finding {
  State state = State::kUnknown;
  Cause cause = Cause::kNone;  // why it is unknown; kNone otherwise
  // Since when the condition has held without a break (pending, breached), as far as the samples reach;
  // since_exact if the sample before it proves that it did not hold earlier.
  std::int64_t since_ms = 0;
  bool since_exact = false;
  // How many of the newest samples the state rests on: with these alone the same state comes out.
  std::size_t samples_used = 0;

  friend bool operator==(const Finding&, const Finding&) = default;
};

// How the signal rests on the application's counting, and how well that agrees with the store's own commits. Below the
// minimum writes go uncounted; above the maximum more is counted than committed, so that nothing counted can
// be trusted. A lower bound then holds all the same: its expression rests on the store's own commits.
struct Coverage {
  Uncovered uncovered = Uncovered::kValid;
  double minimum = 0;
  double maximum = std::numeric_limits<double>::infinity();
  Reading reading = {};  // not looked at for kValid
};

// True if `value` is strictly beyond the threshold's limit. What is not finite never is, as for the alert.
bool Beyond(const ThresholdRow& threshold, double value);

Finding JudgeWindow(const ThresholdRow& threshold, const Reading& signal, const Coverage& coverage,
                    const Clock& clock);

}  // namespace outgrown::engine
