// The specs that a run is about, with what their artefacts are made from, and the threshold tables made of them.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "rulegen/artefacts/artefacts.h"
#include "rulegen/options.h"
#include "rulegen/tree/tree.h"
#include "thresholds/model.h"
#include "thresholds/spec_table.h"
#include "thresholds/table.h"

namespace outgrown::rulegen {

// What specs are loaded for: only where artefacts are made, what alertmanager.also and alertmanager.base name
// is read too.
enum class Purpose { kTables, kArtefacts };

struct Specs {
  int status = 0;  // kExitOk, or why there is nothing to work with; then what is wrong was printed to stderr
  std::vector<spec::Spec> specs;
  std::vector<artefacts::Inputs> inputs;  // of each spec
};

// Those of the files that --spec names, else of every rules/*.toml under the working directory in the order
// of their names. All diagnostics of all specs are printed. No file found is an error, and so are names that
// two of them share.
Specs LoadSpecs(const Options& options, Purpose purpose);

struct MadeArtefacts {
  int status = 0;  // as that of Specs
  std::vector<tree::Made> made;
};

// Every artefact of all specs, in memory. `specs` must outlive the result.
MadeArtefacts MakeAllArtefacts(const Specs& specs);

// The same to be written or compared: what fails, or would write one file for two specs, leaves all files alone.
MadeArtefacts MakeAllFiles(const Specs& specs, const std::optional<std::filesystem::path>& out);

// One spec with its table, or the compiled table where there is no spec.
struct Subject {
  std::optional<spec::Spec> spec;
  artefacts::Inputs inputs;
  std::optional<spec::OwnedTable> owned;

  const Table& table() const { return owned ? owned->table() : CompiledTable(); }
};

struct Subjects {
  int status = 0;  // as that of Specs
  std::vector<Subject> subjects;
};

// As LoadSpecs, but where no file is found the one subject is the compiled table.
Subjects LoadSubjects(const Options& options, Purpose purpose);

}  // namespace outgrown::rulegen
