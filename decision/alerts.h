// What Prometheus' own alerts say at the same evaluation: they and the decision come from the same recorded series and
// the same literals, so a disagreement is drift, with three named exceptions. What can't be known is not
// compared, and a warning says so.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "decision/alert_states.h"
#include "decision/engine/window.h"
#include "decision/measure/measure.h"
#include "prometheus/prometheus_client.h"
#include "thresholds/table.h"

namespace outgrown::decision {

struct AlertComparison {
  AlertState alert = AlertState::kNone;
  Agreement agreement = Agreement::kNotCompared;
};

// "none", "pending", "firing"
std::string_view AlertStateId(AlertState state);
// "agrees", "not_compared", "firing_unknown", "pending_after_start", "firing_held", "drift"
std::string_view AgreementId(Agreement agreement);

// One store's side of the comparison.
struct AlertSubject {
  const StoreSamples* samples = nullptr;
  const std::vector<engine::Finding>* findings = nullptr;  // by index of Table::thresholds
};

// For each subject one comparison a threshold. `compared`: whether the alerts could be read at all; what could
// not is a warning of the fleet. Only samples stamped E, the evaluation that the finding rests on, count; with
// `lag` (RuleFindings::alerts_lag) those near E, and what the decision would have been some evaluations earlier.
std::vector<std::vector<AlertComparison>> CompareAlerts(const Table& table,
                                                        prometheus_api::QuerySource& source,
                                                        const std::vector<AlertSubject>& subjects, bool lag,
                                                        FleetNotes& fleet, bool& compared);

}  // namespace outgrown::decision
