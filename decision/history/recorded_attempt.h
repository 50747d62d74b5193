// The record of a run that found no store, whose line is told again from the queries that it made.
#pragma once

#include "common/json_tree.h"
#include "common/result.h"

namespace outgrown::audit {

// `record`: a log record of kind "attempt". An error says what doesn't follow from its queries, or what it lacks.
Result<void> VerifyAttempt(const Json& record);

}  // namespace outgrown::audit
