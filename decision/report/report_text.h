// The answer as text: the verdict first, then the signals that it rests on.
//
// Without a terminal it is plain text, and each store begins with exactly `VERDICT - justification`. On a terminal
// the same with bars and, unless NO_COLOR says otherwise, colour. Many stores: a table, worst first, and a summary.
// Pure: text out of an evaluation; the caller says whether there is a terminal.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "decision/evaluation.h"
#include "decision/report/report_parts.h"

namespace outgrown::decision {

// Ends with a newline.
std::string TextReport(std::span<const decision::Evaluation> evaluations, const TextStyle& style);

// Above this many stores of one spec the answer is a table.
inline constexpr std::size_t kStoresInFullMax = 3;

}  // namespace outgrown::decision
