// Alerts about the measurement itself: what keeps a decision from being made, each told apart from an idle
// store.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "common/duration.h"
#include "rulegen/artefacts/rules.h"
#include "thresholds/model.h"

namespace outgrown::plan {

// A decision is made daily; two hours of slack for a timer that starts late or a machine that was off.
inline constexpr Milliseconds kDecisionOverdue = std::chrono::hours(26);
inline constexpr const char* kDecisionOverdueId = "DecisionOverdue";
// busy_timeout is seconds, a large transaction tens of them: five minutes inside one write is no work any
// more.
inline constexpr Milliseconds kWriterStuck = std::chrono::minutes(5);

struct MeasurementAlert {
  std::string id;  // the alert's name is the store's and this
  std::string expr;
  Milliseconds hold{0};
  bool has_limit = false;  // AlertRule's
  std::string summary;
  std::string means;  // runbook
  std::string look;
  std::string act;
  std::vector<std::string> labels;  // that its series keep: the identity, or the exporter's job and instance
};

// Those that make sense for the spec; measurement.cc says in one place which do. In the order of the runbook.
std::vector<MeasurementAlert> PlanMeasurement(const spec::Spec& spec);

// The severity that they all carry: the mildest verdict's, because an unmeasured store is unknown, not
// outgrown.
const std::string& MeasurementSeverity(const spec::Spec& spec);

}  // namespace outgrown::plan
