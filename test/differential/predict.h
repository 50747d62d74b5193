// What our decision engine claims about the alerts of one store, for Prometheus to confirm.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "decision/engine/decide.h"
#include "test/differential/series.h"
#include "thresholds/table.h"

namespace outgrown::differential {

// A store's series: one Values a signal of the table, and its coverage.
struct StoreSeries {
  std::vector<Values> signals;
  Values coverage;
};

// What the engine claims about one alert at one evaluation.
enum class Claim : std::uint8_t {
  kFires,
  kSilent,
  kNone,  // the engine knows less than Prometheus does on purpose: uncovered, or not finite
};

// A store as the engine saw it at T.
struct Prediction {
  std::vector<std::int64_t> evaluation_ms;  // E of each threshold: the newest sample not after T; -1: none
  std::vector<Claim> claims;                // of each threshold, about its alert at E
  engine::Decision decision;
};

// The engine's answer at T. Claims are about the alert without keep_firing_for.
Prediction Predict(const Table& table, const StoreSeries& series, std::int64_t time_ms);

// The claims about the alerts with keep_firing_for, at every evaluation (by index, then by threshold), from the engine's
// own answers: once firing, an alert stays so until its condition has not been true for that long.
// Source: Prometheus' rules/alerting.go, AlertingRule.Eval.
std::vector<std::vector<Claim>> PredictKept(const Table& table, const StoreSeries& series);

// The verdict that follows from the alerts alone: the most severe one among those that fire, as an index into
// Table::verdicts; Table::verdicts.size() if none fires.
std::size_t VerdictOfAlerts(const Table& table, const std::vector<Claim>& claims);

// True if the decision is what follows from its own claims: the verdict of the alerts if one fires; none if none does, and
// "sufficient" only if there is a claim about each.
bool VerdictFollows(const Table& table, const Prediction& prediction);

}  // namespace outgrown::differential
