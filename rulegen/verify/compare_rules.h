// The comparison of loaded rules with the spec's: pure, content against content. A digest that agrees proves nothing
// here, since nobody recomputes it after editing a rule by hand.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "rulegen/verify/rules.h"

namespace outgrown::verify {

// Whether two PromQL expressions say the same (expressions.h).
using SameExpression = std::function<bool(const std::string& loaded, const std::string& expected)>;

// Every difference, each a sentence in one line that names group, rule and key: "group outgrown-queue: alert
// QueueDepth: for is 5m, the spec says 10m". `loaded` holds the spec's own groups only (IsOwnGroup). Empty: in step,
// healthy and evaluated. What came from the server is printed as plain text.
std::vector<std::string> CompareRules(const std::vector<ExpectedGroup>& expected,
                                      const std::vector<LoadedGroup>& loaded, const SameExpression& same);

}  // namespace outgrown::verify
