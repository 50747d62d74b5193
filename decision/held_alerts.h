// Whether an alert that fires while its threshold is not breached is held by keep_firing_for after a breach that ended.
#pragma once

#include <cstddef>
#include <vector>

#include "decision/alerts.h"
#include "decision/measure.h"
#include "prometheus/prometheus_client.h"
#include "thresholds/table.h"

namespace outgrown::evaluate {

// Where decision and alert differ.
struct Mismatch {
  std::size_t subject;
  std::size_t threshold;
};

// kUnknown: the answer is not whole, does not go with the samples that the decision rests on, or does not reach back to
// where it would show.
enum class Held { kNo, kYes, kUnknown };

// For each of these mismatches of one signal; one query for all stores. What is unknown stands among the fleet's warnings.
std::vector<Held> FindHeld(const Table& table, std::size_t signal, const std::vector<Mismatch>& mismatches,
                           const std::vector<AlertSubject>& subjects, prometheus_api::QuerySource& source,
                           FleetSamples& fleet);

}  // namespace outgrown::evaluate
