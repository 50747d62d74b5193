// The exit statuses of every Outgrown program, in one place (documented in docs/operations.md).
#pragma once

namespace outgrown {

enum ExitStatus : int {
  kExitOk = 0,
  kExitFailure = 1,       // a file, a server or a disk failed
  kExitUsage = 2,         // wrong command line
  kExitInvalidSpec = 3,   // the spec has errors; each was printed
  kExitNoAnswer = 4,      // Prometheus answered no query
  kExitNotLogged = 5,     // the decision could not be logged, so it was not printed
  kExitDrift = 6,         // copies of the thresholds differ
  kExitUndetermined = 30  // a verdict, or whether a more severe one is due, is unknown; or no store was found
};

}  // namespace outgrown
