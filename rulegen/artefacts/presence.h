// What the alerts about the measurement remember for a day: which stores there were, and when each was decided. A day
// of every scrape is thousands of samples a store; recorded every few evaluations it is hundreds (docs/fleet.md has the
// figures).
#pragma once

#include <vector>

#include "common/duration.h"
#include "rulegen/artefacts/rule_tests.h"
#include "rulegen/artefacts/rules.h"
#include "thresholds/model.h"

namespace outgrown::plan {

// Four evaluations, but two minutes at most, since rules that were just loaded count as not evaluated for that long
// (--verify), and never less than one evaluation. What was there for less time than that may not be remembered.
Milliseconds PresenceInterval(const spec::Spec& spec);

// What the alerts of PlanMeasurement read.
std::vector<RecordingRule> PlanPresence(const spec::Spec& spec);

// Their values: replicas of an exporter are one, stores are kept apart.
PromtoolTest PresenceTest(const spec::Spec& spec);

}  // namespace outgrown::plan
