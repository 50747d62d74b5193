// The panels about all limits of a spec: how far each is used, the state of its alert, when it is reached.
#pragma once

#include "rulegen/artefacts/dashboard/panel_grid.h"
#include "thresholds/model.h"

namespace outgrown::artefacts {

void AddLimitPanels(const spec::Spec& spec, PanelGrid& grid);

}  // namespace outgrown::artefacts
