// The dashboard of a store.
#pragma once

#include "rulegen/artefacts/dashboard/dashboard_model.h"
#include "thresholds/model.h"

namespace outgrown::artefacts {

// Pure; linear in the spec.
Dashboard PlanDashboard(const spec::Spec& spec);

}  // namespace outgrown::artefacts
