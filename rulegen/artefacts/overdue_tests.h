// The promtool tests of DecisionOverdue.
#pragma once

#include <vector>

#include "rulegen/artefacts/rule_tests.h"
#include "rulegen/artefacts/rules.h"
#include "thresholds/model.h"

namespace outgrown::plan {

// To be evaluated every kDayStep (day_tests.h). Precondition: `rule` is the spec's DecisionOverdue.
std::vector<PromtoolTest> OverdueTests(const spec::Spec& spec, const AlertRule& rule);

}  // namespace outgrown::plan
