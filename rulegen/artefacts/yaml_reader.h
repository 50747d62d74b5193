// YAML that people wrote, as a tree that can be extended and written again. Owns yaml-cpp.
#pragma once

#include <string>

#include "common/result.h"
#include "rulegen/artefacts/node.h"

namespace outgrown::emit {

// One document. Comments and anchors are gone, aliases and merge keys resolved; every scalar means what it meant.
// An error's `where` is "LINE:COLUMN". Bounded: nesting and repeated aliases beyond reason are errors.
Result<Node> ReadYaml(const std::string& text);

}  // namespace outgrown::emit
