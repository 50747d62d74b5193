// One panel of a Grafana dashboard: its type, place, queries, field settings and options.
#pragma once

#include <cstddef>

#include "rulegen/artefacts/dashboard.h"
#include "rulegen/artefacts/node.h"

namespace outgrown::emit {

// The dashboard's variable for the data source.
Node DataSource();

// `id` is unique within the dashboard.
Node PanelNode(const plan::Panel& panel, std::size_t id);

}  // namespace outgrown::emit
