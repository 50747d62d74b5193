// Groups that are loaded beside a spec's own, as far as they bear on it.
#pragma once

#include <string>
#include <vector>

#include "rulegen/verify/loaded_rules.h"
#include "rulegen/verify/rules.h"
#include "thresholds/model.h"

namespace outgrown::verify {

// The series that `expected`, the spec's groups, record, and their alerts, that a group has too which isn't the spec's
// own (IsOwnGroup): alerts, routes and decisions take both for one. A sentence for each name and group.
std::vector<std::string> AlsoElsewhere(const spec::Spec& spec, const std::vector<ExpectedGroup>& expected,
                                       const LoadedRules& loaded);

// Rulegen's groups that none of the specs owns, a sentence each. One server may run the rules of several repos, so that
// is no drift by itself; but after a store's spec was renamed or deleted, its old rules run on, and nothing else would
// tell.
std::vector<std::string> GroupsOfNoSpec(const std::vector<spec::Spec>& specs, const LoadedRules& loaded);

}  // namespace outgrown::verify
