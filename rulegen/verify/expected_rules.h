// The rules that a server ought to have loaded, from the spec.
#pragma once

#include <vector>

#include "rulegen/verify/rules.h"
#include "thresholds/model.h"

namespace outgrown::verify {

// What the rule file of that flavor says once a server has read it: expressions normalised, annotations as
// templates, absent keys as the server's defaults. Precondition: a validated spec.
std::vector<ExpectedGroup> ExpectedRules(const spec::Spec& spec, spec::Flavor flavor);

// Whether a group of that name is the spec's own, of this or an older version of it.
bool IsOwnGroup(const spec::Spec& spec, std::string_view group);

}  // namespace outgrown::verify
