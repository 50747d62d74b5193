// promtool unit tests for every alert and every recorded series.
#pragma once

#include <string_view>
#include <vector>

#include "rulegen/artefacts/promtool/promtool.h"
#include "rulegen/artefacts/rules.h"
#include "thresholds/model.h"

namespace outgrown::artefacts {

// What happens to a store of an alert on a threshold, as the value of one of its labels.
inline constexpr std::string_view kAtLimit = "at-limit";
inline constexpr std::string_view kOneIntervalShort = "one-interval-short";  // of the alert's `for`
inline constexpr std::string_view kEnded = "ended";                          // once it fired
inline constexpr std::string_view kNotFinite = "not-finite";

// For every alert on a threshold: beyond fires, at the limit, short of it and without end doesn't, `for` one
// interval too short doesn't, and once the condition has ended it keeps firing for keep_firing_for and no
// longer. For every alert and memory of a [[watch]] its own cases, and of those that fire that `for` is not
// shorter. For all alerts: without any series nothing fires. For every recorded series: the spec's cases, a
// counter reset if one of them has counters that rise, and one other store for each identity label. The first
// file is evaluated as often as the rules are, one more for each other interval that a [[watch.test]] asks
// for. Linear in the spec. Precondition: `rules` are PlanRules(spec)'s.
std::vector<PromtoolFile> PlanTests(const spec::Spec& spec, const RuleFile& rules);

}  // namespace outgrown::artefacts
