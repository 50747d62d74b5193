// What a rule server says it has loaded: the body of /api/v1/rules, read strictly.
// Source of the format: https://prometheus.io/docs/prometheus/latest/querying/api/#rules; vmalert's differs in that
// it has `datasourceType`, an empty `lastError`, and expressions as the file spells them.
#pragma once

#include <string_view>
#include <vector>

#include "common/result.h"
#include "rulegen/verify/rules.h"
#include "thresholds/model.h"

namespace outgrown::verify {

struct LoadedRules {
  std::vector<LoadedGroup> groups;  // rulegen's (plan::kGroupPrefix), in the server's order
  std::vector<OtherGroup> others;   // everybody else's
  bool vmalert = false;
};

// Of other people's groups only the names of their rules are read. An error says what doesn't fit the format: a rule
// that can't be read must not pass as one that is in step.
Result<LoadedRules> ReadLoadedRules(std::string_view body);

// The flavor whose rule file such a server loads, of those that the spec is generated for.
spec::Flavor FlavorOf(const LoadedRules& loaded, const spec::Spec& spec);

}  // namespace outgrown::verify
