// From the text of rules/*.toml to a Spec, or to everything that is wrong with it: names well formed and
// unique, references that exist, thresholds in a sane order, expressions that name only what is known.
// docs/spec.md lists every rule.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "thresholds/diagnostic.h"
#include "thresholds/model.h"

namespace outgrown::spec {

struct LoadedSpec {
  std::optional<Spec> spec;             // parsed, valid and with its digest; only if there are no diagnostics
  std::vector<Diagnostic> diagnostics;  // in the order of the file
  std::string source;                   // the file's text, for FormatDiagnosticWithSource
  bool unreadable = false;  // the file itself could not be read: the world's failure, not the spec's
};

// Reads `file`, then ParseSpec. Only a regular file is read.
LoadedSpec LoadSpec(const std::filesystem::path& file);

// Parses and validates `toml`; `file` is the name for diagnostics and for generated marks, nothing is read. Pure:
// safe from any thread. Time and memory are linear in the text.
LoadedSpec ParseSpec(std::string_view toml, const std::filesystem::path& file);

// Reports everything that is wrong with `spec`. A table with places (one that was parsed) is judged by the keys that
// have one: the others are absent or were reported by the parser. A spec made by hand is judged whole.
void Validate(const Spec& spec, Report& report);

}  // namespace outgrown::spec
