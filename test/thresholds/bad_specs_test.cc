// Every spec under test/golden/bad (test/support/bad_specs.h) is refused with exactly the diagnostics beside it.
//
// OUTGROWN_UPDATE_GOLDEN=1 writes the diagnostics anew and reports skipped, never passed: read the diff.
#define DOCTEST_CONFIG_IMPLEMENT
#include "test/support/bad_specs.h"

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "common/file.h"
#include "thresholds/parse.h"

namespace fs = std::filesystem;
using outgrown::WriteFileIfChanged;
using outgrown::spec::Diagnostic;
using outgrown::spec::LoadedSpec;
using outgrown::spec::ParseSpec;
using outgrown::test::BadSpec;
using outgrown::test::BadSpecFiles;
using outgrown::test::ReadBadSpecs;

namespace {

constexpr int kSkipped = 77;  // Meson's exit status for it

const fs::path kFolder = fs::path(OUTGROWN_SOURCE_ROOT) / "test/golden/bad";

std::string Diagnostics(const BadSpec& spec) {
  const LoadedSpec loaded = ParseSpec(spec.toml, spec.name + ".toml");
  std::string text;
  for (const Diagnostic& diagnostic : loaded.diagnostics) {
    text += FormatDiagnosticWithSource(diagnostic, loaded.source) + "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("every bad spec is refused with exactly its diagnostics") {
  std::set<std::string> names;
  for (const fs::path& file : BadSpecFiles(kFolder)) {
    for (const BadSpec& spec : ReadBadSpecs(file)) {
      CAPTURE(spec.name);
      CHECK(names.insert(spec.name).second);
      const std::string found = Diagnostics(spec);
      CHECK_FALSE(found.empty());
      CHECK(found == spec.expected);
    }
  }
  CHECK(names.size() >= 149);
}

TEST_CASE("what the bad specs are changed from is a valid spec") {
  const auto base = outgrown::ReadFile(kFolder / "base.toml");
  CHECK(ParseSpec(base.value(), "base.toml").diagnostics.empty());
}

int main(int argc, char** argv) {
  if (std::getenv("OUTGROWN_UPDATE_GOLDEN") == nullptr) return doctest::Context(argc, argv).run();
  for (const fs::path& file : BadSpecFiles(kFolder)) {
    std::string text;
    for (const BadSpec& spec : ReadBadSpecs(file))
      text += (text.empty() ? "" : "\n") + spec.change + Diagnostics(spec);
    if (!WriteFileIfChanged(file, text).ok()) return 1;
  }
  return kSkipped;
}
