#include "rulegen/spec_files.h"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/exit_status.h"
#include "common/file.h"
#include "common/result.h"
#include "rulegen/output.h"
#include "rulegen/spec_inputs.h"
#include "rulegen/tree/shared_files.h"
#include "thresholds/diagnostic.h"
#include "thresholds/parse.h"

namespace outgrown::rulegen {
namespace {

namespace fs = std::filesystem;

// Prints each with the line of the spec that it is about.
void Print(const std::vector<spec::Diagnostic>& diagnostics, const std::map<fs::path, std::string>& sources) {
  for (const spec::Diagnostic& diagnostic : diagnostics) {
    Say("{}\n", spec::FormatDiagnosticWithSource(diagnostic, sources.at(diagnostic.file)));
  }
}

// Sorted, since a folder has no order and the output of a run must not depend on it.
Result<std::vector<fs::path>> SpecFiles(const Options& options) {
  if (!options.specs.empty()) return options.specs;
  const Result<std::vector<fs::directory_entry>> entries = EntriesOf("rules");
  if (!entries) return entries.error();
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : *entries) {
    if (entry.path().extension() == ".toml") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

// Adds the spec's inputs; 0, or the exit status for what is wrong with them, which was printed.
int LoadInputs(const spec::Spec& spec, const std::map<fs::path, std::string>& sources, Specs& loaded) {
  AlsoSpecs also = LoadAlso(spec);
  Print(also.diagnostics, sources);
  if (!also.diagnostics.empty()) return also.unreadable ? kExitFailure : kExitInvalidSpec;
  Result<std::optional<artefacts::Base>> base = LoadBase(spec);
  if (!base) return Fail(base.error());
  loaded.inputs.push_back({std::move(*base), std::move(also.specs)});
  return kExitOk;
}

Specs Load(const std::vector<fs::path>& files, Purpose purpose) {
  Specs loaded;
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
  const std::vector<spec::Diagnostic> shared = SharedNames(loaded.specs);
  Print(shared, sources);
  if (!shared.empty()) loaded.status = kExitInvalidSpec;
  if (purpose == Purpose::kTables) {
    loaded.inputs.resize(loaded.specs.size());
    return loaded;
  }
  // All of them before giving up, so that one run shows every error.
  for (const spec::Spec& spec : loaded.specs)
    loaded.status = std::max(loaded.status, LoadInputs(spec, sources, loaded));
  return loaded;
}

}  // namespace

Specs LoadSpecs(const Options& options, Purpose purpose) {
  const Result<std::vector<fs::path>> files = SpecFiles(options);
  if (!files) return {Fail(files.error()), {}, {}};
  if (!files->empty()) return Load(*files, purpose);
  Say("rulegen: found no rules/*.toml here; name a spec with --spec\n");
  return {kExitUsage, {}, {}};
}

MadeArtefacts MakeAllArtefacts(const Specs& specs) {
  MadeArtefacts all;
  for (std::size_t index = 0; index < specs.specs.size(); ++index) {
    const spec::Spec& spec = specs.specs[index];
    Result<std::vector<artefacts::Artefact>> artefacts = artefacts::MakeArtefacts(spec, specs.inputs[index]);
    if (!artefacts.ok()) return {Fail(artefacts.error()), {}};
    all.made.push_back({&spec, std::move(*artefacts)});
  }
  return all;
}

MadeArtefacts MakeAllFiles(const Specs& specs, const std::optional<fs::path>& out) {
  MadeArtefacts all = MakeAllArtefacts(specs);
  for (const spec::Diagnostic& diagnostic : tree::SharedFiles(all.made, out)) {
    Say("{}\n", spec::FormatDiagnostic(diagnostic));
    all.status = kExitInvalidSpec;
  }
  return all;
}

Subjects LoadSubjects(const Options& options, Purpose purpose) {
  Subjects loaded;
  const Result<std::vector<fs::path>> files = SpecFiles(options);
  if (!files) {
    loaded.status = Fail(files.error());
    return loaded;
  }
  if (files->empty()) {
    // Without any spec the compiled table is used, so that a decision needs no file.
    loaded.subjects.emplace_back();
    return loaded;
  }
  Specs specs = Load(*files, purpose);
  loaded.status = specs.status;
  if (loaded.status != kExitOk) return loaded;
  for (std::size_t index = 0; index < specs.specs.size(); ++index) {
    spec::OwnedTable table = spec::MakeTable(specs.specs[index]);
    loaded.subjects.push_back(
        {std::move(specs.specs[index]), std::move(specs.inputs[index]), std::move(table)});
  }
  return loaded;
}

}  // namespace outgrown::rulegen
