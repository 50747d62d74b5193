// The rows of a store's signals as lines of text, fitted to where they go.
#pragma once

#include <cstddef>
#include <string>

#include "decision/evaluation.h"
#include "decision/report_parts.h"

namespace outgrown::report {

// The rows as lines, each with its newline. On a terminal with bars, and no wider than it as far as that can be had.
std::string SignalLines(const evaluate::Evaluation& evaluation, const evaluate::StoreDecision& store,
                        const TextStyle& style);

// A bar of `columns` columns whose limit stands at column `limit_at`; an arrow at the end if it goes on beyond.
std::string Bar(double fill, std::size_t limit_at, std::size_t columns);

}  // namespace outgrown::report
