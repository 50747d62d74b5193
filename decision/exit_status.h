// The exit status of --evaluate.
#pragma once

#include <span>

#include "decision/evaluation.h"

namespace outgrown::decision {

// The exit status of a run that has decided and logged: the first that applies, in the order of docs/decision.md.
// kExitNoAnswer if no query of any table was answered; with `verdict_codes` (--exit-code) the most severe verdict's
// own code if a store has it; kExitDrift; kExitUndetermined if a store is undetermined, if something that could be
// worse than its verdict is unknown, if a series lacks an identity label, so that it was not judged, if it is unknown
// which stores a spec has, or if there is no store at all; with `verdict_codes` the code of the most severe of
// the milder verdicts; kExitOk.
int EvaluateExitStatus(std::span<const Evaluation> evaluations, bool verdict_codes);

}  // namespace outgrown::decision
