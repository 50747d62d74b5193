// A store's verdicts over a backtest's instants, as intervals: consecutive instants with the same decision are one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "decision/engine/decide.h"
#include "thresholds/table.h"

namespace outgrown::history {

// The instants that are decided about: `to_ms` and every `step_ms` before it, not before `from_ms`.
struct Grid {
  std::int64_t from_ms = 0;  // the first instant
  std::int64_t to_ms = 0;    // the last one
  std::int64_t step_ms = 0;
  std::int64_t begin_ms = 0;  // of the period, less than a step before the first instant

  std::int64_t count() const { return (to_ms - from_ms) / step_ms + 1; }
  std::int64_t At(std::int64_t index) const { return from_ms + index * step_ms; }
  // How long something lasted that was so at these instants and all between: each covers the step before it, as far as
  // the period reaches.
  std::int64_t LengthMs(std::int64_t first_ms, std::int64_t last_ms) const {
    return last_ms - std::max(first_ms - step_ms, begin_ms);
  }
};

// Precondition: since_ms and step_ms are positive.
Grid MakeGrid(std::int64_t to_ms, std::int64_t since_ms, std::int64_t step_ms);

struct Interval {
  std::int64_t first_ms = 0;  // its first instant
  std::int64_t last_ms = 0;   // its last one
  engine::Decision decision;  // worse_unknown: at some instant of it
};

struct StoreTimeline {
  std::vector<std::string> identity;  // the values of Table::identity
  std::vector<Interval>
      intervals;  // ascending; between two there may be time in which the store was not there
};

// True if both would print the same line.
bool SameLine(const engine::Decision& a, const engine::Decision& b);
// True if both have the same verdict, whatever it rests on.
bool SameVerdict(const engine::Decision& a, const engine::Decision& b);

// Adds the next instant's decision. True if it opened a new interval.
bool Append(const Grid& grid, std::int64_t time_ms, const engine::Decision& decision,
            StoreTimeline& timeline);

// What a store's timeline says of one verdict.
struct VerdictTotal {
  engine::Decision decision;  // the first with that verdict
  std::int64_t first_ms = 0;
  std::int64_t last_ms = 0;
  std::int64_t length_ms = 0;  // how long it lasted in all
  std::size_t times = 0;       // how often it began
};

// Worst first (Badness).
std::vector<VerdictTotal> Totals(const Table& table, const Grid& grid, const StoreTimeline& timeline);

// As decision::Badness: 0 for sufficient, up to the most severe verdict; undetermined comes just below that one.
int Badness(const Table& table, const engine::Decision& decision);

// What --evaluate prints for that decision, without the figures that it takes from the samples:
// "MIGRATE NOW - Write errors >1% (SQLite saturated)", "UNDETERMINED - File size: no recorded series".
std::string LineOf(const Table& table, const engine::Decision& decision);

}  // namespace outgrown::history
