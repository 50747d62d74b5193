// --since: the verdict over a period, so that a burst at noon is still reported at six. The same engine
// decides at every evaluation of the period; the verdict is the most severe one that was reached.
//
// Unmeasured time is not healthy: a gap that may hide a breach, uncounted writes, and more missing samples than
// known_time.h tolerates keep the period from being sufficient.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "decision/engine/decide.h"
#include "decision/measure/measure.h"
#include "decision/measure/period.h"
#include "prometheus/prometheus_client.h"
#include "thresholds/table.h"

namespace outgrown::decision {

// The decision over the period: `at_end` is the one at its end.
engine::Decision ConcludePeriod(const Table& table, const Period& period, const engine::Decision& at_end);

// Walks through the period of each of these stores, which begins at its own of `begins`, in stretches that keep
// each answer below some million samples. A failed query makes its stretch unmeasured and adds a warning; so
// does a series without identity labels.
std::vector<Period> MeasurePeriod(const Table& table, prometheus_api::QuerySource& source,
                                  std::span<const PeriodBegin> begins, std::int64_t to_ms,
                                  const std::vector<Identity>& identities, FleetNotes& notes);

}  // namespace outgrown::decision
