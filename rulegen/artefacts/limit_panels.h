// The dashboard's panels that show all limits side by side: how much of each is used, its alert, and when it is reached.
#pragma once

#include "rulegen/artefacts/panel_grid.h"
#include "thresholds/model.h"

namespace outgrown::plan {

void AddLimitPanels(const spec::Spec& spec, PanelGrid& grid);

}  // namespace outgrown::plan
