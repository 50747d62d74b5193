// libFuzzer target: no text crashes the spec's parser, and what it says about any text holds together.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/check.h"
#include "thresholds/diagnostic.h"
#include "thresholds/digest.h"
#include "thresholds/parse.h"
#include "thresholds/promql.h"
#include "thresholds/test_series.h"

namespace {

using namespace outgrown::spec;

bool IsOneLine(std::string_view text) { return !FindControl(text); }

void CheckDiagnostic(const Diagnostic& diagnostic, std::string_view source) {
  OUTGROWN_CHECK(diagnostic.position.line >= 1 && diagnostic.position.column >= 1);
  OUTGROWN_CHECK(!diagnostic.found.empty() && !diagnostic.expected.empty());
  OUTGROWN_CHECK(IsOneLine(FormatDiagnostic(diagnostic)));
  OUTGROWN_CHECK(FormatDiagnosticWithSource(diagnostic, source).starts_with(FormatDiagnostic(diagnostic)));
}

// The same text as an expression and as a test's samples.
void CheckParts(std::string_view text) {
  const std::string normalised = NormalisePromql(text);
  OUTGROWN_CHECK(NormalisePromql(normalised) == normalised);
  const References references = FindReferences(text);
  for (const Problem& problem : references.problems) OUTGROWN_CHECK(problem.offset <= text.size());
  const Notation notation = ReadNotation(text);
  OUTGROWN_CHECK(notation.problem || notation.samples <= kSamplesMax);
  OUTGROWN_CHECK(NormaliseNotation(NormaliseNotation(text)) == NormaliseNotation(text));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const LoadedSpec loaded = ParseSpec(text, "fuzz.toml");
  OUTGROWN_CHECK(loaded.spec.has_value() == loaded.diagnostics.empty());
  for (std::size_t i = 0; i < loaded.diagnostics.size(); ++i) {
    CheckDiagnostic(loaded.diagnostics[i], loaded.source);
    OUTGROWN_CHECK(i == 0 || loaded.diagnostics[i - 1].position <= loaded.diagnostics[i].position);
  }
  if (loaded.spec) {
    Report report("fuzz.toml");
    Validate(*loaded.spec, report);
    OUTGROWN_CHECK(report.empty());
    OUTGROWN_CHECK(loaded.spec->digest == Digest(*loaded.spec));
  }
  CheckParts(text);
  return 0;
}
