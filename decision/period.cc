#include "decision/period.h"

#include <algorithm>
#include <span>

namespace outgrown::evaluate {
namespace {

using decide::Cause;
using decide::Finding;
using decide::Outcome;
using decide::State;

// Whether samples are not only missing: nobody knows what the right answer would have shown.
bool IsFault(Cause cause) {
  return cause == Cause::kQueryFailed || cause == Cause::kPartialAnswer || cause == Cause::kSeveralSeries;
}

// One store's way through the period.
class Walk {
 public:
  Walk(const Table& table, std::int64_t from_ms, std::int64_t to_ms)
      : table_(table), findings_(table.thresholds.size()) {
    for (const ThresholdRow& threshold : table.thresholds) {
      known_.emplace_back(threshold, table.interval_ms, from_ms);
    }
    period_.from_ms = from_ms;
    period_.to_ms = to_ms;
    period_.thresholds.resize(table.thresholds.size());
  }

  // Decides at every evaluation after `after_ms` that the samples show. Those before the period tell what it begins with.
  void Take(const StoreSamples& samples, std::int64_t after_ms) {
    std::vector<std::int64_t> times;
    for (std::size_t index = 0; index < table_.signals.size(); ++index) {
      const std::int64_t begin_ms = after_ms - (after_ms == period_.from_ms ? WindowMs(table_, index) : 0);
      for (const Sample& sample : samples.signals[index].samples) {
        if (sample.time_ms > begin_ms) times.push_back(sample.time_ms);
      }
    }
    for (std::size_t index = 0; index < known_.size(); ++index) {
      const SignalSamples& signal = samples.signals[table_.thresholds[index].signal];
      if (IsFault(signal.cause)) known_[index].NotKnown(signal.cause);
    }
    std::ranges::sort(times);
    times.erase(std::unique(times.begin(), times.end()), times.end());
    for (const std::int64_t time_ms : times) TakeEvaluation(samples, time_ms);
  }

  Period Finish() {
    for (std::size_t index = 0; index < known_.size(); ++index) {
      period_.thresholds[index].unknown = known_[index].Finish(period_.to_ms);
    }
    return std::move(period_);
  }

 private:
  decide::Reading ReadingAt(const SignalSamples& signal, std::int64_t time_ms, std::int64_t window_ms) const {
    return {.cause = signal.cause, .samples = Upto(signal.samples, time_ms, window_ms)};
  }

  void TakeEvaluation(const StoreSamples& samples, std::int64_t time_ms) {
    std::vector<decide::Reading> readings;
    for (std::size_t signal = 0; signal < table_.signals.size(); ++signal) {
      readings.push_back(ReadingAt(samples.signals[signal], time_ms, WindowMs(table_, signal)));
    }
    decide::Decide(table_,
                   {.time_ms = time_ms,
                    .signals = readings,
                    .coverage = ReadingAt(samples.coverage, time_ms, CoverageWindowMs(table_))},
                   findings_);
    for (std::size_t index = 0; index < findings_.size(); ++index) {
      // A sample from before this evaluation has had one of its own.
      const std::span<const Sample> own = readings[table_.thresholds[index].signal].samples;
      if (!own.empty() && own.back().time_ms == time_ms) TakeCondition(index, samples.coverage, time_ms);
      if (findings_[index].state == State::kUnknown || time_ms <= period_.from_ms) continue;
      TakeFinding(index, readings[table_.thresholds[index].signal].samples.back(), time_ms);
      if (findings_[index].state == State::kBreached && Leads(index)) Keep(index, samples, time_ms);
    }
  }

  // Whether the condition was known at this threshold's sample of `time_ms`.
  void TakeCondition(std::size_t index, const SignalSamples& coverage, std::int64_t time_ms) {
    const Finding& finding = findings_[index];
    KnownTime& known = known_[index];
    if (finding.state == State::kNotBreached) {
      known.Known(time_ms, KnownTime::Condition::kFalse);
    } else if (finding.state == State::kBreached) {
      known.Known(time_ms, KnownTime::Condition::kBreached);
    } else if (finding.state == State::kPending || finding.samples_used > 1 ||
               finding.cause == Cause::kTooFewSamples) {
      known.Known(time_ms, KnownTime::Condition::kTrue);  // what is unknown of it lies before this sample
    } else if (finding.cause == Cause::kCoverageUnknown) {
      const bool there = !Upto(coverage.samples, time_ms, 2 * table_.interval_ms).empty();  // and no number
      known.NotKnown(IsFault(coverage.cause) ? coverage.cause
                     : there                 ? Cause::kCoverageUnknown
                                             : Cause::kUnmeasured);
    } else {
      known.NotKnown(finding.cause);
    }
  }

  void TakeFinding(std::size_t index, const Sample& sample, std::int64_t time_ms) {
    ThresholdPeriod& threshold = period_.thresholds[index];
    const Finding& finding = findings_[index];
    const bool above = table_.thresholds[index].direction == Direction::kAbove;
    if (!threshold.extreme ||
        (above ? sample.value > threshold.extreme->value : sample.value < threshold.extreme->value)) {
      threshold.extreme = sample;
    }
    if (finding.state != State::kNotBreached) {
      threshold.longest_beyond_ms = std::max(threshold.longest_beyond_ms, sample.time_ms - finding.since_ms);
    }
    if (finding.state == State::kBreached) {
      if (threshold.breached_evaluations == 0) threshold.breached_first_ms = time_ms;
      threshold.breached_last_ms = time_ms;
      ++threshold.breached_evaluations;
    }
  }

  // Whether this threshold's first breach would be what the verdict rests on, as far as the walk has come.
  bool Leads(std::size_t index) const {
    if (period_.thresholds[index].breached_evaluations != 1) return false;
    if (!lead_) return true;
    const std::uint16_t verdict = table_.thresholds[index].verdict;
    const std::uint16_t other = table_.thresholds[*lead_].verdict;
    return verdict > other || (verdict == other && index < *lead_);
  }

  void Keep(std::size_t index, const StoreSamples& samples, std::int64_t time_ms) {
    lead_ = index;
    Instant instant;
    instant.time_ms = time_ms;
    instant.findings = findings_;
    instant.samples.identity = samples.identity;
    const auto copy = [&](const SignalSamples& signal, std::int64_t window_ms) {
      const std::span<const Sample> kept = Upto(signal.samples, time_ms, window_ms);
      const bool empty = kept.empty() && signal.cause == Cause::kNone;
      return SignalSamples{.cause = empty ? Cause::kAbsent : signal.cause,
                           .samples = {kept.begin(), kept.end()}};
    };
    for (std::size_t signal = 0; signal < table_.signals.size(); ++signal) {
      instant.samples.signals.push_back(copy(samples.signals[signal], WindowMs(table_, signal)));
    }
    instant.samples.coverage = copy(samples.coverage, CoverageWindowMs(table_));
    period_.stood = std::move(instant);
  }

  const Table& table_;
  Period period_;
  std::vector<Finding> findings_;
  std::vector<KnownTime> known_;  // by index of Table::thresholds
  std::optional<std::size_t> lead_;
};

}  // namespace

decide::Decision ConcludePeriod(const Table& table, const Period& period, const decide::Decision& at_end) {
  decide::Decision decision;
  std::size_t unmeasured = decide::kNoThreshold;
  for (std::size_t index = 0; index < table.thresholds.size(); ++index) {
    const std::size_t verdict = table.thresholds[index].verdict;
    if (!period.thresholds[index].unknown.stretches.empty() && unmeasured == decide::kNoThreshold)
      unmeasured = index;
    if (period.thresholds[index].breached_evaluations == 0) continue;
    if (decision.outcome == Outcome::kBreached && verdict <= decision.verdict) continue;
    decision.outcome = Outcome::kBreached;
    decision.verdict = verdict;
    decision.lead = index;
  }
  // The end may prove what the period's own queries could not.
  if (at_end.outcome == Outcome::kBreached &&
      (decision.outcome != Outcome::kBreached || at_end.verdict > decision.verdict)) {
    decision = at_end;
  }
  if (decision.outcome == Outcome::kBreached) {
    const bool worst = decision.verdict + 1 == table.verdicts.size();
    decision.worse_unknown = !worst && at_end.worse_unknown;
    for (std::size_t index = 0; index < table.thresholds.size(); ++index) {
      decision.worse_unknown |= !period.thresholds[index].unknown.stretches.empty() &&
                                table.thresholds[index].verdict > decision.verdict;
    }
    return decision;
  }
  if (at_end.outcome == Outcome::kUndetermined) return at_end;
  if (unmeasured != decide::kNoThreshold) {
    decision.outcome = Outcome::kUndetermined;
    decision.lead = unmeasured;
    decision.cause = Cause::kUnmeasured;
    decision.worse_unknown = true;
    return decision;
  }
  decision.outcome = Outcome::kSufficient;
  return decision;
}

std::vector<Period> MeasurePeriod(const Table& table, prometheus_api::QuerySource& source,
                                  std::int64_t from_ms, std::int64_t to_ms,
                                  const std::vector<std::vector<std::string>>& identities,
                                  FleetSamples& told) {
  std::vector<Walk> walks(identities.size(), Walk(table, from_ms, to_ms));
  const std::int64_t evaluations = std::max<std::int64_t>(
      20, kSamplesMax / std::max<std::int64_t>(1, static_cast<std::int64_t>(identities.size())));
  const std::int64_t stretch_ms = evaluations * table.interval_ms;
  for (std::int64_t after_ms = from_ms; after_ms < to_ms; after_ms += stretch_ms) {
    const std::int64_t until_ms = std::min(to_ms, after_ms + stretch_ms);
    const FleetSamples fleet = MeasureStores(table, source, until_ms, until_ms - after_ms, identities);
    for (const std::string& warning : fleet.warnings) {
      if (std::ranges::find(told.warnings, warning) == told.warnings.end()) told.warnings.push_back(warning);
    }
    told.nameless |= fleet.nameless;
    for (std::size_t index = 0; index < walks.size(); ++index)
      walks[index].Take(fleet.stores[index], after_ms);
  }
  std::vector<Period> periods;
  periods.reserve(walks.size());
  for (Walk& walk : walks) periods.push_back(walk.Finish());
  return periods;
}

}  // namespace outgrown::evaluate
