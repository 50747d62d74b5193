// The rows of a store's signals in the text report: the value, a bar, its limit, since when it is beyond, and
// the trend; fitted to where they go.
#pragma once

#include <cstddef>
#include <string>

#include "decision/evaluation.h"
#include "decision/report/report_parts.h"

namespace outgrown::decision {

// The rows as lines, each with its newline. On a terminal with bars, and no wider than it as far as that can be had.
std::string SignalLines(const Evaluation& evaluation, const StoreDecision& store, const TextStyle& style);

// A bar of `columns` columns with the limit at column `limit_at`; an arrow at the end if the value is beyond the bar.
std::string Bar(double fill, std::size_t limit_at, std::size_t columns);

}  // namespace outgrown::decision
