// The specs that a run is about.
#pragma once

#include <filesystem>
#include <vector>

#include "rulegen/commands/options.h"
#include "rulegen/spec/model.h"

namespace outgrown::commands {

struct Specs {
  int status = 0;  // kExitOk, or why there is nothing to work with; then what is wrong was printed to stderr
  std::vector<spec::Spec> specs;
};

// The files: those that --spec names, else every rules/*.toml under the working directory in the order of their names.
std::vector<std::filesystem::path> SpecFiles(const Options& options);

// Loads them. All diagnostics of all specs are printed. No file found is an error.
Specs LoadSpecs(const Options& options);

}  // namespace outgrown::commands
