// The promtool tests of DecisionOverdue, in a file of their own: they last for more than a day, so they are evaluated
// rarely, while the other tests are evaluated as often as the rules are.
#pragma once

#include <optional>

#include "rulegen/plan/promtool_tests.h"
#include "rulegen/plan/rules.h"
#include "rulegen/spec/model.h"

namespace outgrown::plan {

// Nothing if the spec has no such alert. Precondition: as PlanTests'.
std::optional<PromtoolFile> PlanOverdueTests(const spec::Spec& spec, const RuleFile& rules);

}  // namespace outgrown::plan
