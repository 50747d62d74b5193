// The specs that the project ships are specs.
#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include "thresholds/parse.h"

namespace fs = std::filesystem;
using outgrown::spec::LoadedSpec;
using outgrown::spec::LoadSpec;

TEST_CASE("every spec under rules/ is valid") {
  int specs = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(fs::path(OUTGROWN_SOURCE_ROOT) / "rules")) {
    if (entry.path().extension() != ".toml") continue;
    CAPTURE(entry.path().string());
    const LoadedSpec loaded = LoadSpec(entry.path());
    for (const auto& diagnostic : loaded.diagnostics) {
      FAIL_CHECK(FormatDiagnosticWithSource(diagnostic, loaded.source));
    }
    CHECK(loaded.spec.has_value());
    ++specs;
  }
  CHECK(specs >= 1);
}
