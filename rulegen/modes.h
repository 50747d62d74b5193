// The modes of rulegen, one a file (mode_*.cc). Each prints its answer and returns the exit status
// (common/exit_status.h).
#pragma once

#include "rulegen/options.h"

namespace outgrown::rulegen {

// --generate: writes every artefact of every spec.
int RunGenerate(const Options& options);

// --check: a unified diff and exit status 6 if a committed artefact is not what its spec generates.
int RunCheck(const Options& options);

// --evaluate: the decision about every store, logged and then printed.
int RunEvaluate(const Options& options);

// --audit: exit status 1 if the decision log's chain is broken or a verdict doesn't follow from its inputs.
int RunAudit(const Options& options);

// --history: when each store's verdict changed, and why.
int RunHistory(const Options& options);

// --backtest: the verdicts over the retained history, and what another spec would have changed.
int RunBacktest(const Options& options);

// --archive: the evidence in one folder, with checksums; exit status 1 too if the archived log does not verify.
int RunArchive(const Options& options);

// --verify: one line for each copy that is in step or differs; exit status 6 if any differs.
int RunVerify(const Options& options);

}  // namespace outgrown::rulegen
