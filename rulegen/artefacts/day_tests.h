// The promtool tests that last for more than a day, in a file of their own: they are evaluated rarely, while the other
// tests are evaluated as often as the rules are.
#pragma once

#include <chrono>

#include "common/duration.h"
#include "rulegen/artefacts/rule_tests.h"
#include "rulegen/artefacts/rules.h"
#include "thresholds/model.h"

namespace outgrown::plan {

// Between two evaluations. As long as the tests' stores need: the alerts' `for` is shorter.
inline constexpr Milliseconds kDayStep = std::chrono::minutes(30);

// How long the alerts about the measurement remember a store and a decision. Precondition: as PlanTests'.
PromtoolFile PlanDayTests(const spec::Spec& spec, const RuleFile& rules);

}  // namespace outgrown::plan
