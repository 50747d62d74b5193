// The rows of a store's signals in the text report: the value, a bar, its limit, since when it is beyond, and
// the trend; fitted to where they go.
#pragma once

#include <cstddef>
#include <string>

#include "decision/evaluation.h"
#include "decision/report_parts.h"

namespace outgrown::decision {

// The rows as lines, each with its newline. On a terminal with bars, and no wider than it as far as that can be had.
std::string SignalLines(const decision::Evaluation& evaluation, const decision::StoreDecision& store,
                        const TextStyle& style);

// A bar of `columns` columns with the limit at column `limit_at`; an arrow at the end if the value is beyond the bar.
std::string Bar(double fill, std::size_t limit_at, std::size_t columns);

// How long until a limit is reached, rounded to the nearest: "within the hour", "in about 5 h", "in about 41 days".
std::string ReachedText(double seconds);

// The threshold whose limit is reached first of all; kNoThreshold if none is within a year.
std::size_t SoonestThreshold(const decision::StoreDecision& store);

// The same in words: "File size 5 GB in about 41 days"; "" if none is within a year.
std::string SoonestTrend(const Table& table, const decision::StoreDecision& store);

}  // namespace outgrown::decision
