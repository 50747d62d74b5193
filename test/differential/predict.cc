#include "test/differential/predict.h"

#include <algorithm>
#include <cmath>

namespace outgrown::differential {
namespace {

using engine::Cause;
using engine::Finding;
using engine::State;

Claim ClaimOf(const Finding& finding) {
  switch (finding.state) {
    case State::kBreached:
      return Claim::kFires;
    case State::kPending:
    case State::kNotBreached:
      return Claim::kSilent;
    case State::kUnknown:
      break;
  }
  // An alert needs every evaluation of its window too: what is missing there, or not finite, keeps it silent.
  const bool missing = finding.cause == Cause::kNotFinite || finding.cause == Cause::kHole ||
                       finding.cause == Cause::kTooFewSamples || finding.cause == Cause::kAbsent;
  return missing ? Claim::kSilent : Claim::kNone;
}

// The claim with keep_firing_for after one more evaluation: `before` it, the plain `claim` at it, and whether an alert
// that fires would be kept (its condition holds, or has not held for less than keep_firing_for).
Claim Keep(Claim before, Claim claim, bool keeps) {
  if (claim == Claim::kFires || (before == Claim::kFires && keeps)) return Claim::kFires;
  if (claim == Claim::kNone || (before == Claim::kNone && keeps)) return Claim::kNone;
  return Claim::kSilent;
}

}  // namespace

Prediction Predict(const Table& table, const StoreSeries& series, std::int64_t time_ms) {
  std::vector<std::vector<Sample>> samples;
  std::vector<engine::Reading> readings;
  for (const Values& values : series.signals) {
    samples.push_back(SamplesUpTo(values, table.interval_ms, time_ms));
    readings.push_back({.samples = samples.back()});
  }
  const std::vector<Sample> coverage = SamplesUpTo(series.coverage, table.interval_ms, time_ms);
  const engine::Measurements measurements = {
      .time_ms = time_ms, .signals = readings, .coverage = {.samples = coverage}};
  std::vector<Finding> findings(table.thresholds.size());
  Prediction prediction;
  prediction.decision = engine::Decide(table, measurements, findings);
  for (std::size_t i = 0; i < findings.size(); ++i) {
    const std::vector<Sample>& of_signal = samples[table.thresholds[i].signal];
    prediction.evaluation_ms.push_back(of_signal.empty() ? -1 : of_signal.back().time_ms);
    const bool stale = findings[i].state == State::kUnknown && findings[i].cause == Cause::kStale;
    prediction.claims.push_back(stale ? Claim::kNone : ClaimOf(findings[i]));
  }
  return prediction;
}

std::vector<std::vector<Claim>> PredictKept(const Table& table, const StoreSeries& series) {
  std::vector<std::vector<Claim>> claims;
  std::vector<Claim> kept(table.thresholds.size(), Claim::kSilent);
  std::vector<std::int64_t> untrue_since_ms(table.thresholds.size(), -1);
  for (std::size_t step = 0; step < series.coverage.size(); ++step) {
    const std::int64_t now_ms = static_cast<std::int64_t>(step) * table.interval_ms;
    const Prediction prediction = Predict(table, series, now_ms);
    for (std::size_t i = 0; i < kept.size(); ++i) {
      const ThresholdRow& threshold = table.thresholds[i];
      const std::optional<double>& value = series.signals[threshold.signal][step];
      const bool holds = value.has_value() && std::isfinite(*value) && engine::Beyond(threshold, *value);
      if (holds) untrue_since_ms[i] = -1;
      if (!holds && untrue_since_ms[i] < 0) untrue_since_ms[i] = now_ms;
      const bool keeps = holds || now_ms - untrue_since_ms[i] < table.keep_firing_for_ms;
      const bool fresh = prediction.evaluation_ms[i] == now_ms;
      kept[i] = Keep(kept[i], fresh ? prediction.claims[i] : Claim::kSilent, keeps);
    }
    claims.push_back(kept);
  }
  return claims;
}

std::size_t VerdictOfAlerts(const Table& table, const std::vector<Claim>& claims) {
  std::size_t worst = table.verdicts.size();
  for (std::size_t i = 0; i < claims.size(); ++i) {
    if (claims[i] != Claim::kFires) continue;
    const std::size_t verdict = table.thresholds[i].verdict;
    worst = worst == table.verdicts.size() ? verdict : std::max(worst, verdict);
  }
  return worst;
}

bool VerdictFollows(const Table& table, const Prediction& prediction) {
  const std::size_t of_alerts = VerdictOfAlerts(table, prediction.claims);
  const engine::Decision& decision = prediction.decision;
  if (decision.outcome == engine::Outcome::kBreached) return decision.verdict == of_alerts;
  if (of_alerts != table.verdicts.size()) return false;
  return decision.outcome == engine::Outcome::kUndetermined ||
         std::ranges::find(prediction.claims, Claim::kNone) == prediction.claims.end();
}

}  // namespace outgrown::differential
