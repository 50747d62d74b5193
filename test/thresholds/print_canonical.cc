// Prints a spec's digest and canonical text, for digest_test.py.
#include <cstdio>

#include "thresholds/digest.h"
#include "thresholds/parse.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const auto loaded = outgrown::spec::LoadSpec(argv[1]);
  for (const auto& diagnostic : loaded.diagnostics)
    std::fprintf(stderr, "%s\n", FormatDiagnostic(diagnostic).c_str());
  if (!loaded.spec) return 1;
  std::printf("%s\n%s", loaded.spec->digest.c_str(), CanonicalText(*loaded.spec).c_str());
  return 0;
}
