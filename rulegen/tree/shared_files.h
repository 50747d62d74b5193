// Files that a spec of one run would write over what it, or another one, is made from. (No two write one
// file: their stores' names differ, spec_inputs.h.)
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "rulegen/tree/tree.h"
#include "thresholds/diagnostic.h"

namespace outgrown::tree {

// For each such file what is wrong, at the key that names what would be written over, or the folder where it
// would happen. `out`: as Layout takes it. Nothing is read but where links lead.
std::vector<spec::Diagnostic> SharedFiles(const std::vector<Made>& made,
                                          const std::optional<std::filesystem::path>& out);

}  // namespace outgrown::tree
