#include "rulegen/spec_files.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/exit_status.h"
#include "common/result.h"
#include "rulegen/artefacts/other_specs.h"
#include "rulegen/output.h"
#include "thresholds/diagnostic.h"
#include "thresholds/parse.h"
#include "thresholds/table.h"

namespace outgrown::commands {
namespace {

namespace fs = std::filesystem;

// Prints each with the line of the spec that it is about.
void Print(const std::vector<spec::Diagnostic>& diagnostics, const std::map<fs::path, std::string>& sources) {
  for (const spec::Diagnostic& diagnostic : diagnostics) {
    fmt::print(stderr, "{}\n", spec::FormatDiagnosticWithSource(diagnostic, sources.at(diagnostic.file)));
  }
}

}  // namespace

std::vector<fs::path> SpecFiles(const Options& options) {
  if (!options.specs.empty()) return options.specs;
  std::vector<fs::path> files;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator("rules", none)) {
    if (entry.path().extension() == ".toml") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

Specs LoadSpecs(const Options& options) {
  Specs loaded;
  const std::vector<fs::path> files = SpecFiles(options);
  if (files.empty()) {
    fmt::print(stderr, "rulegen: found no rules/*.toml here; name a spec with --spec\n");
    return {kExitUsage, {}};
  }
  std::map<fs::path, std::string> sources;
  for (const fs::path& file : files) {
    spec::LoadedSpec one = spec::LoadSpec(file);
    sources[file] = std::move(one.source);
    Print(one.diagnostics, sources);
    if (one.spec) {
      loaded.specs.push_back(std::move(*one.spec));
    } else {
      loaded.status = std::max<int>(loaded.status, one.unreadable ? kExitFailure : kExitInvalidSpec);
    }
  }
  if (loaded.status != kExitOk) return loaded;
  const std::vector<spec::Diagnostic> shared = generate::SharedNames(loaded.specs);
  Print(shared, sources);
  if (!shared.empty()) loaded.status = kExitInvalidSpec;
  if (options.mode != Mode::kGenerate && options.mode != Mode::kCheck && options.mode != Mode::kVerify)
    return loaded;
  for (const spec::Spec& spec : loaded.specs) {
    const generate::AlsoSpecs also = generate::LoadAlso(spec);
    Print(also.diagnostics, sources);
    if (!also.diagnostics.empty())
      loaded.status = std::max<int>(loaded.status, also.unreadable ? kExitFailure : kExitInvalidSpec);
  }
  return loaded;
}

MadeArtefacts MakeAllArtefacts(const std::vector<spec::Spec>& specs, const Options& options) {
  MadeArtefacts all;
  for (const spec::Spec& spec : specs) {
    Result<std::vector<generate::Artefact>> artefacts = generate::MakeArtefacts(spec);
    if (!artefacts.ok()) return {Fail(artefacts.error()), {}};
    all.made.push_back({&spec, std::move(*artefacts)});
  }
  for (const spec::Diagnostic& diagnostic : generate::SharedFiles(all.made, options.out)) {
    fmt::print(stderr, "{}\n", spec::FormatDiagnostic(diagnostic));
    all.status = kExitInvalidSpec;
  }
  return all;
}

std::vector<const Table*> Tables::Pointers() const {
  if (owned.empty()) return {&CompiledTable()};
  std::vector<const Table*> pointers;
  for (const plan::OwnedTable& table : owned) pointers.push_back(&table.table());
  return pointers;
}

Tables LoadTables(const Options& options) {
  Tables tables;
  if (SpecFiles(options).empty()) return tables;
  const Specs specs = LoadSpecs(options);
  tables.status = specs.status;
  if (tables.status != kExitOk) return tables;
  for (const spec::Spec& spec : specs.specs) tables.owned.push_back(plan::MakeTable(spec));
  return tables;
}

}  // namespace outgrown::commands
