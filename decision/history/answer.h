// Everything that one --backtest found: for each table its timelines and, with --against, the other spec's and what
// differs.
#pragma once

#include <optional>
#include <vector>

#include "decision/history/backtest.h"
#include "decision/history/compare.h"

namespace outgrown::backtest {

struct Answer {
  Backtest backtest;
  std::optional<Backtest> against;
  std::vector<StoreChanges> changes;  // from `backtest` to `against`
};

}  // namespace outgrown::backtest
