// A record's verdict, decided again from the record's own inputs and thresholds by the same engine.
#pragma once

#include "common/json_tree.h"
#include "common/result.h"

namespace outgrown::audit {

// `record`: a log record of kind "decision". An error says what doesn't follow from the inputs, or what the record
// lacks.
Result<void> VerifyDecision(const Json& record);

}  // namespace outgrown::audit
