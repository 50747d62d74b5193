// A dashboard as JSON.
#pragma once

#include <string>

#include "rulegen/artefacts/dashboard/dashboard_model.h"
#include "thresholds/model.h"

namespace outgrown::artefacts {

// A dashboard in Grafana's JSON model (schemaVersion 41: Grafana 11 and newer), for provisioning.
std::string DashboardJson(const spec::Spec& spec, const Dashboard& dashboard);

}  // namespace outgrown::artefacts
