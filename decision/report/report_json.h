// The answer for machines: one JSON document, described by docs/schema/evaluate.v1.schema.json. Members are only ever
// added within a schema version.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "decision/evaluation.h"

namespace outgrown::decision {

// On one line, with a newline. `exit_status` is the one that the program ends with.
std::string JsonReport(std::span<const decision::Evaluation> evaluations, int exit_status,
                       std::string_view version);

}  // namespace outgrown::decision
