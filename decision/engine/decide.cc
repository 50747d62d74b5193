#include "decision/engine/decide.h"

#include <cmath>

#include "common/check.h"

namespace outgrown::decide {
namespace {

// The verdict that follows from the findings and from the store's presence.
Decision Conclude(const Table& table, std::span<const Finding> findings, Cause presence) {
  Decision decision;
  std::size_t unknown = kNoThreshold;
  for (std::size_t index = 0; index < findings.size(); ++index) {
    const std::size_t verdict = table.thresholds[index].verdict;
    if (findings[index].state == State::kUnknown && unknown == kNoThreshold) unknown = index;
    if (findings[index].state != State::kBreached) continue;
    if (decision.outcome == Outcome::kBreached && verdict <= decision.verdict) continue;
    decision.outcome = Outcome::kBreached;
    decision.verdict = verdict;
    decision.lead = index;
  }
  if (decision.outcome == Outcome::kBreached) {
    for (std::size_t index = 0; index < findings.size(); ++index) {
      decision.worse_unknown |=
          findings[index].state == State::kUnknown && table.thresholds[index].verdict > decision.verdict;
    }
    return decision;
  }
  if (presence != Cause::kNone) {
    decision.cause = presence;
    decision.worse_unknown = true;
  } else if (unknown != kNoThreshold) {
    decision.lead = unknown;
    decision.cause = findings[unknown].cause;
    decision.worse_unknown = true;
  } else {
    decision.outcome = Outcome::kSufficient;
  }
  return decision;
}

}  // namespace

Decision Decide(const Table& table, const Measurements& measurements, std::span<Finding> findings) {
  OUTGROWN_CHECK(measurements.signals.size() == table.signals.size());
  OUTGROWN_CHECK(findings.size() == table.thresholds.size());
  const Clock clock = {measurements.time_ms, table.interval_ms};
  for (std::size_t index = 0; index < findings.size(); ++index) {
    const ThresholdRow& threshold = table.thresholds[index];
    const Coverage coverage = {
        .uncovered =
            table.coverage_series.empty() ? Uncovered::kValid : table.signals[threshold.signal].uncovered,
        .minimum = table.coverage_minimum,
        .reading = measurements.coverage,
    };
    findings[index] = JudgeWindow(threshold, measurements.signals[threshold.signal], coverage, clock);
  }
  return Conclude(table, findings, measurements.presence);
}

Decision DecideGiven(const Table& table, std::span<const double> values, std::span<Finding> findings) {
  OUTGROWN_CHECK(values.size() == table.signals.size());
  OUTGROWN_CHECK(findings.size() == table.thresholds.size());
  for (std::size_t index = 0; index < findings.size(); ++index) {
    const ThresholdRow& threshold = table.thresholds[index];
    const double value = values[threshold.signal];
    findings[index] = Finding{};
    if (std::isnan(value)) {
      findings[index].cause = Cause::kNotGiven;
    } else if (!std::isfinite(value)) {
      findings[index].cause = Cause::kNotFinite;
    } else {
      findings[index].state = Beyond(threshold, value) ? State::kBreached : State::kNotBreached;
    }
  }
  return Conclude(table, findings, Cause::kNone);
}

std::string_view VerdictText(const Table& table, const Decision& decision) {
  switch (decision.outcome) {
    case Outcome::kSufficient:
      return table.sufficient;
    case Outcome::kBreached:
      return table.verdicts[decision.verdict].text;
    case Outcome::kUndetermined:
      return "UNDETERMINED";
  }
  return "UNDETERMINED";
}

std::string_view VerdictId(const Table& table, const Decision& decision) {
  switch (decision.outcome) {
    case Outcome::kSufficient:
      return "sufficient";
    case Outcome::kBreached:
      return table.verdicts[decision.verdict].id;
    case Outcome::kUndetermined:
      return "undetermined";
  }
  return "undetermined";
}

std::string_view Because(const Table& table, const Decision& decision) {
  return decision.outcome == Outcome::kBreached ? table.thresholds[decision.lead].because
                                                : std::string_view();
}

}  // namespace outgrown::decide
