// Alerts about the measurement itself: what keeps a decision from being made, each told apart from an idle
// store.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "rulegen/plan/rules.h"
#include "rulegen/spec/model.h"

namespace outgrown::plan {

// One case of an alert's test: raw series in, and whether the alert fires at `at`.
struct MeasurementCase {
  std::string name;
  std::vector<std::pair<std::string, std::string>>
      series;  // selector without identity labels -> promtool's notation
  Milliseconds at{0};
  bool fires = false;
  double value = 0;  // of the firing alert's expression
};

struct MeasurementAlert {
  std::string id;  // the alert's name is the store's and this
  std::string expr;
  Milliseconds hold{0};
  std::string summary;
  std::string means;  // runbook
  std::string look;
  std::string act;
  std::vector<std::string> labels;  // that its series keep: the identity, or the exporter's job and instance
  std::vector<MeasurementCase> cases;  // the first fires
};

// Those that make sense for the spec; measurement.cc says in one place which do. In the order of the runbook.
std::vector<MeasurementAlert> PlanMeasurement(const spec::Spec& spec);

// The severity that they all carry: the mildest verdict's, because an unmeasured store is unknown, not
// outgrown.
const std::string& MeasurementSeverity(const spec::Spec& spec);

}  // namespace outgrown::plan
