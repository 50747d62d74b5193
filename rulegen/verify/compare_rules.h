// The comparison of loaded rules with the spec's: pure, content against content. A digest that agrees proves nothing
// here: a rule that was edited by hand still carries it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "rulegen/verify/loaded_rules.h"
#include "thresholds/model.h"

namespace outgrown::verify {

// What the rule file of that flavor says once a server has read it: expressions normalised, annotations as
// templates, absent keys as the server's defaults. Precondition: a validated spec.
std::vector<ExpectedGroup> ExpectedRules(const spec::Spec& spec, spec::Flavor flavor);

// Whether a group of that name is the spec's own, of this or an older version of it.
bool IsOwnGroup(const spec::Spec& spec, std::string_view group);

// Whether two PromQL expressions say the same (Expressions, loaded_rules.h).
using SameExpression = std::function<bool(const std::string& loaded, const std::string& expected)>;

// Every difference, each a sentence in one line that names group, rule and key: "group outgrown-queue: alert
// QueueDepth: for is 5m, the spec says 10m". `loaded` holds the spec's own groups only (IsOwnGroup). Empty: in step,
// healthy and evaluated. What came from the server is printed as plain text.
std::vector<std::string> CompareRules(const std::vector<ExpectedGroup>& expected,
                                      const std::vector<LoadedGroup>& loaded, const SameExpression& same);

// The series that `expected`, the spec's groups, record, and their alerts, that a group has too which isn't the spec's
// own (IsOwnGroup): alerts, routes and decisions take both for one. A sentence for each name and group.
std::vector<std::string> AlsoElsewhere(const spec::Spec& spec, const std::vector<ExpectedGroup>& expected,
                                       const LoadedRules& loaded);

// Rulegen's groups that none of the specs owns, a sentence each. One server may run the rules of several repos, so that
// is not drift by itself; but after a store's spec was renamed or deleted, its old rules keep running, and nothing else
// reports that.
std::vector<std::string> GroupsOfNoSpec(const std::vector<const spec::Spec*>& specs,
                                        const LoadedRules& loaded);

}  // namespace outgrown::verify
