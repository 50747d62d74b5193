#include "decision/engine/decide.h"

#include <algorithm>
#include <cmath>

#include "common/check.h"

namespace outgrown::engine {
namespace {

// Of the findings in that state, the first one with the most severe verdict.
std::size_t MostSevere(const Table& table, std::span<const Finding> findings, State state) {
  std::size_t found = kNoThreshold;
  for (std::size_t index = 0; index < findings.size(); ++index) {
    if (findings[index].state != state) continue;
    // Strictly more severe: of equal verdicts the first in table order stays.
    if (found == kNoThreshold || table.thresholds[index].verdict > table.thresholds[found].verdict)
      found = index;
  }
  return found;
}

bool BeyondForUnknownTime(const Finding& finding) {
  return finding.state == State::kUnknown &&
         (finding.cause == Cause::kTooFewSamples || finding.cause == Cause::kHole);
}

// The verdict that follows from the findings and from the store itself: kNone, or why it can't be sufficient.
Decision Conclude(const Table& table, std::span<const Finding> findings, Cause store) {
  Decision decision;
  // In every outcome: a breach elsewhere does not make a pending threshold uninteresting.
  decision.pending = MostSevere(table, findings, State::kPending);
  decision.lead = MostSevere(table, findings, State::kBreached);
  if (decision.lead != kNoThreshold) {
    decision.outcome = Outcome::kBreached;
    decision.verdict = table.thresholds[decision.lead].verdict;
    for (std::size_t index = 0; index < findings.size(); ++index) {
      decision.worse_unknown |=
          findings[index].state == State::kUnknown && table.thresholds[index].verdict > decision.verdict;
    }
    return decision;
  }
  // The first in table order: unknown thresholds have no severity of their own.
  const auto unknown = std::ranges::find(findings, State::kUnknown, &Finding::state);
  if (store == Cause::kNone && unknown == findings.end()) {
    decision.outcome = Outcome::kSufficient;
    return decision;
  }
  decision.worse_unknown = true;
  const auto beyond = std::ranges::find_if(findings, BeyondForUnknownTime);
  // A value seen beyond its limit is more useful to an operator than "the window is not full", which is
  // unknown all the same.
  const auto shown = store == Cause::kNone            ? unknown
                     : store == Cause::kWindowNotFull ? beyond
                                                      : findings.end();
  decision.cause = store;
  if (shown != findings.end()) {
    decision.lead = static_cast<std::size_t>(shown - findings.begin());
    decision.cause = shown->cause;
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
    // Without coverage in the spec nobody says that counting can be incomplete.
    const Coverage coverage = {
        .uncovered =
            table.coverage_series.empty() ? Uncovered::kValid : table.signals[threshold.signal].uncovered,
        .minimum = table.coverage_minimum,
        .maximum = table.coverage_maximum,
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
    // The caller's memory may hold an earlier decision.
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

Decision ConcludePeriod(const Table& table, std::span<const PeriodFinding> findings, const Decision& at_end) {
  OUTGROWN_CHECK(findings.size() == table.thresholds.size());
  Decision decision;
  std::size_t unmeasured = kNoThreshold;
  for (std::size_t index = 0; index < findings.size(); ++index) {
    const std::size_t verdict = table.thresholds[index].verdict;
    if (findings[index].is_unknown && unmeasured == kNoThreshold) unmeasured = index;
    if (!findings[index].was_breached) continue;
    if (decision.outcome == Outcome::kBreached && verdict <= decision.verdict) continue;
    decision.outcome = Outcome::kBreached;
    decision.verdict = verdict;
    decision.lead = index;
  }
  decision.pending = at_end.pending;
  // The decision at the end may prove a breach that the period's own queries failed to show.
  if (at_end.outcome == Outcome::kBreached &&
      (decision.outcome != Outcome::kBreached || at_end.verdict > decision.verdict)) {
    decision = at_end;
  }
  if (decision.outcome == Outcome::kBreached) {
    const bool worst = decision.verdict + 1 == table.verdicts.size();
    decision.worse_unknown = !worst && at_end.worse_unknown;
    for (std::size_t index = 0; index < findings.size(); ++index) {
      decision.worse_unknown |=
          findings[index].is_unknown && table.thresholds[index].verdict > decision.verdict;
    }
    return decision;
  }
  if (at_end.outcome == Outcome::kUndetermined) return at_end;
  if (unmeasured == kNoThreshold) {
    decision.outcome = Outcome::kSufficient;
    return decision;
  }
  decision.lead = unmeasured;
  decision.cause = Cause::kUnmeasured;
  decision.worse_unknown = true;
  return decision;
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

}  // namespace outgrown::engine
