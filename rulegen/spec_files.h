// The specs that a run is about, and the threshold tables made of them.
#pragma once

#include <filesystem>
#include <vector>

#include "rulegen/options.h"
#include "rulegen/tree/shared_files.h"
#include "thresholds/model.h"
#include "thresholds/spec_table.h"
#include "thresholds/table.h"

namespace outgrown::commands {

struct Specs {
  int status = 0;  // kExitOk, or why there is nothing to work with; then what is wrong was printed to stderr
  std::vector<spec::Spec> specs;
};

// The files: those that --spec names, else every rules/*.toml under the working directory in the order of their names.
std::vector<std::filesystem::path> SpecFiles(const Options& options);

// Loads them. All diagnostics of all specs are printed. No file found is an error, and so are names that two of them share
// and, in a mode that makes artefacts, what is wrong with alertmanager.also.
Specs LoadSpecs(const Options& options);

struct MadeArtefacts {
  int status = 0;  // as that of Specs
  std::vector<generate::Made> made;
};

// Every artefact of all specs, in memory: what fails, or would write one file for two specs, leaves all files alone.
// `specs` must outlive the result.
MadeArtefacts MakeAllArtefacts(const std::vector<spec::Spec>& specs, const Options& options);

// The tables that a decision is about.
struct Tables {
  int status = 0;  // kExitOk, or why there are none; then what is wrong was printed to stderr
  std::vector<plan::OwnedTable> owned;  // empty: the compiled table

  // Valid as long as this.
  std::vector<const Table*> Pointers() const;
};

// Those of the specs that --spec names, else of every rules/*.toml under the working directory, else the compiled one.
Tables LoadTables(const Options& options);

}  // namespace outgrown::commands
