// The states of alerts, and whether they go with those of thresholds, also where alerts lag what is recorded beside them, as
// vmalert's do.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "decision/engine/window.h"
#include "thresholds/table.h"

namespace outgrown::decision {

enum class AlertState { kNone, kPending, kFiring };

enum class Agreement {
  kAgrees,
  kNotCompared,    // the threshold is unknown here, or whether it is drift or an exception could not be read
  kFiringUnknown,  // note: firing, while the threshold is unknown here
  kPendingAfterStart,  // note: Prometheus started less than `for` and 10 minutes ago and counts `for` anew
  kFiringHeld,         // note: firing on for keep_firing_for after the breach ended
  kDrift,
};

// How far back vmalert's alerts may look from the samples that are recorded at the same time: an evaluation writes
// samples while the alerts behind it already ask, so these read the one before; what was written can be asked for
// some seconds later only, which are several evaluations of a short interval; and the alert's own state shows late.
std::int64_t LagMs(const Table& table);

// The states of an alert that lags at the evaluation E or the one before it, the newest first. vmalert before 1.92
// stamps an alert when it evaluates it, and a recorded sample up to an interval before.
std::vector<AlertState> StatesNear(const Table& table, std::int64_t newest_ms,
                                   const std::map<std::int64_t, AlertState>& by_time);

// Whether the alert is in the state that goes with the threshold's.
bool Agrees(engine::State state, AlertState alert);

// kAgrees if one of these states is what follows from `samples`, which end with E, at E or up to the lag before it; kDrift
// if it differs for longer; kNotCompared where the samples, asked for from `from_ms` on, begin too late to tell.
Agreement CompareWithLag(const Table& table, const ThresholdRow& threshold, std::span<const Sample> samples,
                         const std::vector<AlertState>& states, std::int64_t from_ms);

}  // namespace outgrown::decision
