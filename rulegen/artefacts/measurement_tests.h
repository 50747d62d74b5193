// The promtool tests of the alerts about the measurement itself.
#pragma once

#include "rulegen/artefacts/measurement.h"
#include "rulegen/artefacts/rule_tests.h"
#include "rulegen/artefacts/rules.h"
#include "thresholds/model.h"

namespace outgrown::plan {

// The test of that alert: what fires, the same one evaluation too short, its limit if it has one, and what
// must not be mistaken for it. `rule` is the planned alert's rule.
PromtoolTest MeasurementTest(const spec::Spec& spec, const MeasurementAlert& planned, const AlertRule& rule);

}  // namespace outgrown::plan
