// Every spec under test/golden/bad has its exact diagnostics beside it: NAME.toml and NAME.txt.
//
// OUTGROWN_UPDATE_GOLDEN=1 writes the diagnostics anew and reports skipped, never passed: read the diff.
#define DOCTEST_CONFIG_IMPLEMENT
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "common/file.h"
#include "thresholds/parse.h"

namespace fs = std::filesystem;
using outgrown::ReadFile;
using outgrown::WriteFileIfChanged;
using outgrown::spec::Diagnostic;
using outgrown::spec::LoadedSpec;
using outgrown::spec::ParseSpec;

namespace {

constexpr int kSkipped = 77;  // Meson's exit status for it

const fs::path kFolder = fs::path(OUTGROWN_SOURCE_ROOT) / "test/golden/bad";

std::vector<fs::path> BadSpecs() {
  std::vector<fs::path> paths;
  for (const fs::directory_entry& entry : fs::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".toml") paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  return paths;
}

// What rulegen says about the file, which it knows by its bare name.
std::string Diagnostics(const fs::path& path) {
  const LoadedSpec loaded = ParseSpec(ReadFile(path).value(), path.filename());
  std::string text;
  for (const Diagnostic& diagnostic : loaded.diagnostics) {
    text += FormatDiagnosticWithSource(diagnostic, loaded.source) + "\n";
  }
  return text;
}

fs::path Expected(fs::path path) { return path.replace_extension(".txt"); }

}  // namespace

TEST_CASE("every bad spec is refused with exactly its diagnostics") {
  const std::vector<fs::path> paths = BadSpecs();
  CHECK(paths.size() >= 40);
  for (const fs::path& path : paths) {
    CAPTURE(path.filename().string());
    const auto expected = ReadFile(Expected(path));
    REQUIRE_MESSAGE(expected.ok(), "OUTGROWN_UPDATE_GOLDEN=1 makes it: " << Expected(path).string());
    const std::string found = Diagnostics(path);
    CHECK_FALSE(found.empty());
    CHECK(found == *expected);
  }
}

TEST_CASE("no diagnostics lie about without their spec") {
  std::set<fs::path> expected;
  for (const fs::path& path : BadSpecs()) expected.insert(Expected(path));
  for (const fs::directory_entry& entry : fs::directory_iterator(kFolder)) {
    if (entry.path().extension() != ".txt") continue;
    CAPTURE(entry.path().string());
    CHECK(expected.contains(entry.path()));
  }
}

int main(int argc, char** argv) {
  if (std::getenv("OUTGROWN_UPDATE_GOLDEN") == nullptr) return doctest::Context(argc, argv).run();
  for (const fs::path& path : BadSpecs()) {
    if (!WriteFileIfChanged(Expected(path), Diagnostics(path)).ok()) return 1;
  }
  return kSkipped;
}
