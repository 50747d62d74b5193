// The first stage of the two-stage build: the spec parser and one emitter, so that rulegen can contain its
// own table.
//
// Usage: tablegen SPEC OUTPUT
#include <cstdio>

#include "common/exit_status.h"
#include "common/file.h"
#include "thresholds/parse.h"
#include "thresholds/table_source.h"

int main(int argc, char** argv) {
  using namespace outgrown;
  if (argc != 3) {
    std::fputs("usage: tablegen SPEC OUTPUT\n", stderr);
    return kExitUsage;
  }
  const spec::LoadedSpec loaded = spec::LoadSpec(argv[1]);
  for (const spec::Diagnostic& diagnostic : loaded.diagnostics) {
    std::fprintf(stderr, "%s\n", spec::FormatDiagnostic(diagnostic).c_str());
  }
  if (!loaded.spec) return kExitInvalidSpec;
  // An equal file keeps its time, so that nothing is compiled again after a change of comments in the spec.
  const auto written = WriteFileIfChanged(argv[2], spec::ThresholdsInc(*loaded.spec));
  if (!written.ok()) {
    std::fprintf(stderr, "tablegen: %s\n", written.error().Text().c_str());
    return kExitFailure;
  }
  return kExitOk;
}
