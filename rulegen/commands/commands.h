// The modes of rulegen, one a file. Each prints what people see and returns the exit status (common/exit_status.h).
#pragma once

#include "rulegen/commands/options.h"

namespace outgrown::commands {

// --generate: writes every artefact of every spec.
int RunGenerate(const Options& options);

// --check: a unified diff and exit status 6 if a committed artefact is not what its spec generates.
int RunCheck(const Options& options);

// --evaluate: the decision about every store, logged and then printed.
int RunEvaluate(const Options& options);

}  // namespace outgrown::commands
