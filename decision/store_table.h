// Many stores as a table, worst first, with a summary line.
#pragma once

#include <string>
#include <vector>

#include "decision/evaluation.h"
#include "decision/report_parts.h"

namespace outgrown::report {

// `stores` are the evaluation's, worst first. Without a terminal each row begins with exactly
// `VERDICT - justification`; on one it fits the width, and sufficient stores beyond a screenful are only counted.
std::string StoreTable(const evaluate::Evaluation& evaluation,
                       const std::vector<const evaluate::StoreDecision*>& stores, const TextStyle& style);

}  // namespace outgrown::report
