// A store's period (--since): what the walk through it found, threshold by threshold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "decision/engine/decide.h"
#include "decision/measure/known_time.h"
#include "decision/measure/measure.h"
#include "thresholds/table.h"

namespace outgrown::decision {

// A threshold's part of a period.
struct ThresholdPeriod {
  std::size_t breached_evaluations = 0;
  std::int64_t breached_first_ms = 0;  // of these, where there are any
  std::int64_t breached_last_ms = 0;
  std::int64_t longest_beyond_ms = 0;  // the longest that the condition held without a break
  std::optional<Sample> extreme;       // the known value that is furthest to the limit's far side
  Unknown unknown;
};

// The inputs of one evaluation of the period.
struct Instant {
  std::int64_t time_ms = 0;
  StoreSamples samples;
  std::vector<engine::Finding> findings;
};

// Where a store's period begins.
struct PeriodBegin {
  std::int64_t from_ms = 0;
  // The store was decided about before: it was there, and what the server doesn't show of it was lost.
  bool decided_before = false;
};

struct Period {
  std::int64_t from_ms = 0;
  std::int64_t to_ms = 0;
  // Of a store that was not there before the period: its first evaluation. The time before it, and its first
  // window, are no gap.
  std::optional<std::int64_t> measured_since_ms;
  // In which nothing was measured, and the store was not written to: no hole.
  std::vector<std::pair<std::int64_t, std::int64_t>> stopped;
  std::vector<ThresholdPeriod> thresholds;  // by index of Table::thresholds
  std::optional<Instant> first_breach;  // the first evaluation at which the leading threshold was breached
};

}  // namespace outgrown::decision
