#include "decision/measure/store_period.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <span>

namespace outgrown::decision {
namespace {

using engine::Cause;
using engine::Finding;
using engine::State;

// A wrong or missing answer, as opposed to samples that were never recorded: what it would have shown is unknown.
bool IsFault(Cause cause) {
  return cause == Cause::kQueryFailed || cause == Cause::kPartialAnswer || cause == Cause::kSeveralSeries ||
         cause == Cause::kRulesDiffer;
}

// Adds the samples' times. Signals are recorded together, so that nearly always they are there already.
void Unite(std::vector<std::int64_t>& times, std::span<const Sample> samples) {
  if (std::ranges::includes(times, samples, {}, {}, &Sample::time_ms)) return;
  const auto added = static_cast<std::ptrdiff_t>(times.size());
  for (const Sample& sample : samples) times.push_back(sample.time_ms);
  std::ranges::inplace_merge(times, times.begin() + added);
  times.erase(std::unique(times.begin(), times.end()), times.end());
}

// The samples of a signal that is one series or none at all; nothing where that has to be looked at instant by instant.
std::optional<std::span<const Sample>> Plain(const Fetched& fetched) {
  if (fetched.cause != Cause::kNone || fetched.series.size() > 1) return std::nullopt;
  return fetched.series.empty() ? std::span<const Sample>() : fetched.series.front();
}

// Whether each of the samples has a coverage sample of up to two intervals before it, and all of these are in order.
bool IsCovered(const Table& table, std::span<const Sample> samples, std::span<const Sample> coverage) {
  std::size_t next = 0;
  for (const Sample& sample : samples) {
    while (next < coverage.size() && coverage[next].time_ms <= sample.time_ms) ++next;
    if (next == 0 || coverage[next - 1].time_ms < sample.time_ms - 2 * table.interval_ms) return false;
    const double value = coverage[next - 1].value;
    if (!(std::isfinite(value) && value >= table.coverage_minimum && value <= table.coverage_maximum))
      return false;
  }
  return true;
}

}  // namespace

StorePeriod::StorePeriod(const Table& table, std::int64_t from_ms, std::int64_t to_ms, bool is_new)
    : table_(table) {
  if (!is_new) BeginAt(from_ms);
  period_.from_ms = from_ms;
  period_.to_ms = to_ms;
  period_.thresholds.resize(table.thresholds.size());
}

std::vector<std::int64_t> StorePeriod::Evaluations(const Store& store, const Stretch& stretch) {
  std::vector<std::int64_t> times;
  if (period_.from_ms >= stretch.until_ms) return times;
  const bool begins = period_.from_ms >= stretch.after_ms;
  std::int64_t all_after_ms = stretch.after_ms;  // every sample after this is of an evaluation of `times`
  for (std::size_t index = 0; index < table_.signals.size(); ++index) {
    const std::int64_t begin_ms = begins ? period_.from_ms - WindowMs(table_, index) : stretch.after_ms;
    for (const std::vector<Sample>& series : store.signals[index].series)
      Unite(times, {std::ranges::upper_bound(series, begin_ms, {}, &Sample::time_ms), series.end()});
    all_after_ms = std::max(all_after_ms, begin_ms);
  }
  if (known_.empty() && !times.empty()) {
    period_.measured_since_ms = times.front();
    BeginAt(std::min(period_.to_ms, times.front() + RateWindowMs(table_)));
  }
  for (std::size_t index = 0; index < known_.size(); ++index) {
    const Fetched& signal = store.signals[table_.thresholds[index].signal];
    if (IsFault(signal.cause)) known_[index].NotKnown(signal.cause);
  }
  if (!times.empty() && TakeHealthy(store, times, all_after_ms)) times.clear();
  return times;
}

bool StorePeriod::TakeHealthy(const Store& store, const std::vector<std::int64_t>& times,
                              std::int64_t all_after_ms) {
  const auto coverage = Plain(store.coverage);
  std::vector<std::vector<Sample>> taken(table_.signals.size());
  for (const ThresholdRow& threshold : table_.thresholds) {
    std::vector<Sample>& samples = taken[threshold.signal];
    if (samples.empty()) {
      const auto plain = Plain(store.signals[threshold.signal]);
      if (!plain) return false;
      std::ranges::copy_if(*plain, std::back_inserter(samples), [&](const Sample& sample) {
        return sample.time_ms > all_after_ms || std::ranges::binary_search(times, sample.time_ms);
      });
      const bool counted =
          !table_.coverage_series.empty() && table_.signals[threshold.signal].uncovered != Uncovered::kValid;
      if (counted && !(coverage && IsCovered(table_, samples, *coverage))) return false;
    }
    const auto healthy = [&](const Sample& sample) {
      return std::isfinite(sample.value) && !engine::Beyond(threshold, sample.value);
    };
    if (!std::ranges::all_of(samples, healthy)) return false;
  }
  for (std::size_t index = 0; index < table_.thresholds.size(); ++index) {
    for (const Sample& sample : taken[table_.thresholds[index].signal]) {
      known_[index].Known(sample.time_ms, KnownTime::Condition::kFalse);
      if (sample.time_ms > period_.from_ms)
        TakeFinding(index, {.state = State::kNotBreached}, sample, sample.time_ms);
    }
  }
  return true;
}

void StorePeriod::Take(const Store& store, std::int64_t time_ms, StoreAt& at) {
  at.Read(store, time_ms);
  at.Decide(Cause::kNone);
  for (std::size_t index = 0; index < table_.thresholds.size(); ++index) {
    const Finding& finding = at.findings()[index];
    const engine::Reading& reading = at.signal(table_.thresholds[index].signal);
    if (reading.cause == Cause::kSeveralSeries) known_[index].NotKnown(reading.cause);
    if (reading.samples.empty()) continue;
    // An older sample was taken at its own evaluation already: rules in several groups have times of their own.
    if (reading.samples.back().time_ms != time_ms) continue;
    TakeCondition(index, finding, at.coverage(), time_ms);
    if (finding.state == State::kUnknown || time_ms <= period_.from_ms) continue;
    TakeFinding(index, finding, reading.samples.back(), time_ms);
    if (finding.state == State::kBreached && Leads(index)) Keep(index, store, time_ms, at);
  }
}

void StorePeriod::End() {
  if (known_.empty()) BeginAt(period_.from_ms);
  for (KnownTime& known : known_) known.End(period_.to_ms);
}

std::set<Gap> StorePeriod::Gaps() const {
  std::set<Gap> gaps;
  for (const KnownTime& known : known_) {
    for (const Gap& gap : known.Gaps()) gaps.insert(gap);
  }
  return gaps;
}

void StorePeriod::Stopped(const Gap& gap) {
  for (KnownTime& known : known_) known.Stopped(gap);
  if (!period_.stopped.empty() && gap.first <= period_.stopped.back().second) {
    period_.stopped.back().second = std::max(period_.stopped.back().second, gap.second);
  } else {
    period_.stopped.push_back(gap);
  }
}

Period StorePeriod::Finish() {
  for (std::size_t index = 0; index < known_.size(); ++index)
    period_.thresholds[index].unknown = known_[index].Finish();
  return std::move(period_);
}

void StorePeriod::BeginAt(std::int64_t from_ms) {
  for (const ThresholdRow& threshold : table_.thresholds)
    known_.emplace_back(threshold, table_.interval_ms, from_ms);
}

void StorePeriod::TakeCondition(std::size_t index, const Finding& finding, const engine::Reading& coverage,
                                std::int64_t time_ms) {
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

void StorePeriod::TakeFinding(std::size_t index, const Finding& finding, const Sample& sample,
                              std::int64_t time_ms) {
  ThresholdPeriod& threshold = period_.thresholds[index];
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

bool StorePeriod::Leads(std::size_t index) const {
  if (period_.thresholds[index].breached_evaluations != 1) return false;
  if (!lead_) return true;
  const std::uint16_t verdict = table_.thresholds[index].verdict;
  const std::uint16_t other = table_.thresholds[*lead_].verdict;
  return verdict > other || (verdict == other && index < *lead_);
}

void StorePeriod::Keep(std::size_t index, const Store& store, std::int64_t time_ms, const StoreAt& at) {
  lead_ = index;
  Instant instant;
  instant.time_ms = time_ms;
  instant.findings = at.findings();
  instant.samples.identity = store.identity;
  const auto copy = [](const engine::Reading& reading) {
    return SignalSamples{.cause = reading.cause, .samples = {reading.samples.begin(), reading.samples.end()}};
  };
  for (std::size_t signal = 0; signal < table_.signals.size(); ++signal)
    instant.samples.signals.push_back(copy(at.signal(signal)));
  instant.samples.coverage = copy(at.coverage());
  period_.first_breach = std::move(instant);
}

}  // namespace outgrown::decision
