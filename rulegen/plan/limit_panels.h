// The dashboard's panels that show all limits side by side: how much of each is used, its alert, and when it is reached.
#pragma once

#include "rulegen/plan/panel_grid.h"
#include "rulegen/spec/model.h"

namespace outgrown::plan {

void AddLimitPanels(const spec::Spec& spec, PanelGrid& grid);

}  // namespace outgrown::plan
