// Files that two specs of one run would write, or that one would write over what another one is made from.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "rulegen/artefacts/artefacts.h"
#include "thresholds/diagnostic.h"
#include "thresholds/model.h"

namespace outgrown::generate {

struct Made {
  const spec::Spec* spec;
  std::vector<Artefact> artefacts;
};

// For each such file what is wrong, at the spec that came later, or at the key that names what would be written over.
// `out`: as Layout takes it. Nothing is read but where links lead.
std::vector<spec::Diagnostic> SharedFiles(const std::vector<Made>& made,
                                          const std::optional<std::filesystem::path>& out);

}  // namespace outgrown::generate
