// Every artefact of a spec, in memory: where it goes and its bytes.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/result.h"
#include "thresholds/model.h"

namespace outgrown::generate {

struct Artefact {
  std::filesystem::path
      path;  // from the spec's folder, as [output] names it: "../docs/gen/checkpoint.runbook.md"
  std::string bytes;
  // Of a file that is not there yet: the mode of the user-supplied Alertmanager configuration, which may hold secrets.
  unsigned mode_if_new = 0644;
};

// All artefacts, in a fixed order. Reads the user-supplied Alertmanager configuration and the other specs if the spec names
// them; whatever is wrong with them is the error. Precondition: a validated spec.
Result<std::vector<Artefact>> MakeArtefacts(const spec::Spec& spec);

}  // namespace outgrown::generate
