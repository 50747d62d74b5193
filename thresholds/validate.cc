#include "thresholds/validate.h"

#include "thresholds/validate_parts.h"

namespace outgrown::spec {

void Validate(const Spec& spec, Report& report) {
  Suggestions suggestions;
  const KnownSeriesIndex series(spec);
  ValidateStore(spec, series, report, suggestions);
  ValidateRules(spec, report);
  ValidatePaths(spec, report);
  ValidateVerdicts(spec, report);
  ValidateMetrics(spec, report);
  ValidateSignals(spec, series, report, suggestions);
  ValidateThresholds(spec, report, suggestions);
  ValidateCoverage(spec, series, report, suggestions);
  ValidateWatches(spec, report, suggestions);
  ValidatePanels(spec, report);
}

}  // namespace outgrown::spec
