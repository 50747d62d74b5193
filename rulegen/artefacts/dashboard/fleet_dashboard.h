// The dashboard of all stores of a spec: a table, worst first, whose rows lead to each store's own dashboard.
#pragma once

#include <string_view>

#include "rulegen/artefacts/dashboard/dashboard_model.h"
#include "thresholds/model.h"

namespace outgrown::artefacts {

// Of its uid (DashboardUid).
inline constexpr std::string_view kFleetSuffix = "-fleet";

// Pure; linear in the spec. Its table asks instant queries alone, one a column of values, so that its cost grows with
// the stores and not with the time shown.
Dashboard PlanFleetDashboard(const spec::Spec& spec);

}  // namespace outgrown::artefacts
