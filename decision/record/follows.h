// Whether what a log record says follows from its own inputs: its table, its samples and its period. An error says what
// doesn't, or what is missing.
#pragma once

#include "common/json.h"
#include "common/result.h"

namespace outgrown::decision {

// A record of "kind":"decision": its verdict, and the line as far as it says the verdict and its justification.
Result<void> CheckDecision(const Json& record);

// One of "kind":"attempt": a run that found no store has decided nothing.
Result<void> CheckAttempt(const Json& record);

}  // namespace outgrown::decision
