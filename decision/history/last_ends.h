// --since last: where each store's period begins: at the end of its newest decision.
#pragma once

#include <cstdint>
#include <vector>

#include "decision/evaluation.h"
#include "decision/log/decision_log.h"
#include "decision/measure/period.h"
#include "thresholds/table.h"

namespace outgrown::history {

// A year of evaluations at 30 s: no period is longer, since it would take hours of queries.
inline constexpr std::int64_t kPeriodEvaluationsMax = 1'051'200;

// How far back stores must be looked for, so that none is missed that fell silent since the last run about this spec.
std::int64_t LookbackMs(const decision_log::NewestDecisions& newest, const Table& table,
                        std::int64_t time_ms);

// The beginning of each store's period, in the order of the evaluation.
std::vector<decision::PeriodBegin> PeriodBegins(const decision_log::NewestDecisions& newest,
                                                const decision::Evaluation& evaluation);

}  // namespace outgrown::history
