// The dashboard's panels over our exporter's own series: what is behind the signals, and whether the measurement is whole.
#pragma once

#include "rulegen/artefacts/panel_grid.h"
#include "thresholds/model.h"

namespace outgrown::plan {

// Nothing for a spec over foreign series.
void AddExporterPanels(const spec::Spec& spec, PanelGrid& grid);

}  // namespace outgrown::plan
