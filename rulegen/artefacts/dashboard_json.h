// A dashboard in Grafana's JSON model (schemaVersion 41: Grafana 11 and newer), for provisioning.
#pragma once

#include <string>

#include "rulegen/artefacts/dashboard.h"
#include "thresholds/model.h"

namespace outgrown::emit {

std::string DashboardJson(const spec::Spec& spec, const plan::Dashboard& dashboard);

}  // namespace outgrown::emit
