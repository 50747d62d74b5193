// --since last: where each store's period begins: at the end of its newest decision.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "decision/evaluation.h"
#include "decision/log/decision_log.h"
#include "thresholds/table.h"

namespace outgrown::evaluate {

// A year of evaluations at 30 s: no period is longer, since it would take hours of queries.
inline constexpr std::int64_t kPeriodEvaluationsMax = 1'051'200;

// Immutable; may be read by any thread.
class LastEnds {
 public:
  explicit LastEnds(decision_log::NewestDecisions newest) : newest_(std::move(newest)) {}

  // How far back stores must be looked for, so that none is missed that fell silent since the last run about this spec.
  std::int64_t LookbackMs(const Table& table, std::int64_t time_ms) const;

  // For each store of the evaluation, the beginning of its period.
  std::vector<std::int64_t> Begins(const Evaluation& evaluation) const;

 private:
  decision_log::NewestDecisions newest_;
};

}  // namespace outgrown::evaluate
