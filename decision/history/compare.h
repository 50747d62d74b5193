// What another spec would have changed: two backtests over the same instants, side by side.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "decision/history/backtest.h"

namespace outgrown::history {

// Consecutive instants at which the two give other verdicts.
struct Change {
  std::int64_t first_ms = 0;
  std::int64_t last_ms = 0;
  std::optional<engine::Decision> from;  // nothing: no such store
  std::optional<engine::Decision> to;
  std::string why;  // "Throughput: above 90 instead of 100"
};

struct StoreChanges {
  std::vector<std::string> identity;
  std::vector<Change> changes;
};

// Only stores with changes, by identity. Precondition: the same grid and the same identity labels.
std::vector<StoreChanges> Compare(const Backtest& from, const Backtest& to);

// How the two differ in the thresholds that lead these decisions: limit, `for`, verdict, expression, or one that is
// only on one side. Where they don't differ in these, which thresholds lead.
std::string WhyChanged(const Backtest& from, const Backtest& to, const Change& change);

// Everything that one --backtest found: for each table its timelines and, with --against, the other spec's
// and what differs.
struct Answer {
  Backtest backtest;
  std::optional<Backtest> against;
  std::vector<StoreChanges> changes;  // from `backtest` to `against`
};

}  // namespace outgrown::history
