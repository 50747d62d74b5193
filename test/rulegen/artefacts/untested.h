// What promtool would pass silently over: rules that no test holds to account.
#pragma once

#include <string>
#include <vector>

#include "rulegen/artefacts/promtool/rule_tests.h"
#include "rulegen/artefacts/rules.h"

namespace outgrown::artefacts {

// Names what the tests leave out: an alert that no check expects to fire, that is not checked one evaluation
// before it fires (if it has a `for`), not at its limit (if it has one), not after its condition ended (if it
// has a keep_firing_for) or not without any series; a check of an alert that no rule has; a recorded series
// without a check. Linear in both.
std::vector<std::string> Untested(const RuleFile& rules, const std::vector<PromtoolFile>& files);

}  // namespace outgrown::artefacts
