#include "decision/measure/measure.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace outgrown::decision {
namespace {

using engine::Cause;

// With more stores than this, the samples before the window (only for "since when") are not fetched.
constexpr std::size_t kDetailedStoresMax = 8;

// The samples of a signal for reports, which reach further back than the judged window: as long as they are of one
// series at each time.
std::vector<Sample> History(Fetched&& fetched, std::int64_t time_ms) {
  // The usual case, one series: it is moved, samples are most of a fleet's memory.
  if (fetched.series.size() == 1 &&
      Upto(fetched.series[0], time_ms, time_ms).size() == fetched.series[0].size())
    return std::move(fetched.series[0]);
  std::vector<std::span<const Sample>> parts;
  for (const std::vector<Sample>& series : fetched.series) {
    const std::span<const Sample> part = Upto(series, time_ms, time_ms);
    if (!part.empty()) parts.push_back(part);
  }
  std::ranges::sort(parts, {}, [](std::span<const Sample> part) { return part.back().time_ms; });
  std::vector<Sample> history;
  for (; !parts.empty(); parts.pop_back()) {
    const std::span<const Sample> part = parts.back();
    // Two series at the same time: which of them is right is unknown, so the history begins after them.
    if (!history.empty() && part.back().time_ms >= history.front().time_ms) {
      std::erase_if(history, [&](const Sample& sample) { return sample.time_ms <= part.back().time_ms; });
      break;
    }
    history.insert(history.begin(), part.begin(), part.end());
  }
  return history;
}

// ReadingAt of series that are all there.
engine::Reading ReadSeries(const std::vector<std::vector<Sample>>& all, std::int64_t time_ms,
                           std::int64_t window_ms, std::int64_t history_ms, std::vector<Sample>& merged) {
  if (all.empty()) return {.cause = Cause::kAbsent};
  if (all.size() == 1) {
    // The usual case, one series: a view into what was fetched, nothing is copied.
    const std::span<const Sample> seen = Upto(all.front(), time_ms, window_ms + history_ms);
    if (seen.empty()) return {.cause = Cause::kAbsent};
    const std::size_t window = Upto(seen, time_ms, window_ms).size();
    return {.cause = Cause::kNone, .samples = seen.last(std::min(seen.size(), window + 1))};
  }
  std::vector<std::span<const Sample>> parts;
  // Several series of one store are one history as long as they follow each other, as after a restart that
  // changed a label; those that overlap contradict each other.
  const Sample* before = nullptr;  // the newest before the window
  for (const std::vector<Sample>& series : all) {
    const std::span<const Sample> seen = Upto(series, time_ms, window_ms + history_ms);
    const std::span<const Sample> part = Upto(seen, time_ms, window_ms);
    if (!part.empty()) parts.push_back(part);
    if (seen.size() == part.size()) continue;
    const Sample& earlier = seen[seen.size() - part.size() - 1];
    if (before == nullptr || before->time_ms < earlier.time_ms) before = &earlier;
  }
  std::ranges::sort(parts, {}, [](std::span<const Sample> part) { return part.front().time_ms; });
  merged.clear();
  if (before != nullptr) merged.push_back(*before);
  for (const std::span<const Sample> part : parts) {
    if (!merged.empty() && merged.back().time_ms >= part.front().time_ms)
      return {.cause = Cause::kSeveralSeries};
    merged.insert(merged.end(), part.begin(), part.end());
  }
  if (merged.empty()) return {.cause = Cause::kAbsent};
  return {.cause = Cause::kNone, .samples = merged};
}

// `judged_ms`: how far back the reading reaches.
SignalSamples SamplesOf(Fetched&& fetched, const engine::Reading& reading, std::int64_t time_ms,
                        std::int64_t judged_ms) {
  if (reading.cause != Cause::kNone && reading.cause != Cause::kPartialAnswer)
    return {.cause = reading.cause};
  SignalSamples kept{.cause = reading.cause};
  if (reading.samples.empty()) return kept;
  kept.samples = History(std::move(fetched), time_ms);
  const auto judged = kept.samples.end() - std::ssize(Upto(kept.samples, time_ms, judged_ms));
  kept.earlier.assign(kept.samples.begin(), judged);
  kept.samples.erase(kept.samples.begin(), judged);
  return kept;
}

// Whether the coverage at T is known and within both bounds, so that no reason has to be asked for.
bool InOrder(const Table& table, const SignalSamples& coverage, std::int64_t time_ms) {
  if (coverage.cause != Cause::kNone || coverage.samples.empty()) return false;
  const Sample& newest = coverage.samples.back();
  return newest.time_ms >= time_ms - 2 * table.interval_ms && newest.value >= table.coverage_minimum &&
         newest.value <= table.coverage_maximum;
}

// Asks why the coverage of some stores is out of bounds: one query for the fleet, none if all are in order.
// Its result changes the wording of a decision, never the decision.
void FindReasons(const Table& table, prometheus_api::QuerySource& source, FleetSamples& fleet) {
  if (table.reason_series.empty()) return;
  std::map<Identity, StoreSamples*> wanted;
  for (StoreSamples& store : fleet.stores) {
    if (!InOrder(table, store.coverage, fleet.time_ms)) wanted[store.identity] = &store;
  }
  if (wanted.empty()) return;
  const prometheus_api::Reply reply =
      prometheus_api::AskVector(source, std::string(table.reason_series), fleet.time_ms, fleet);
  if (!reply.usable()) return;
  std::map<Identity, std::set<std::string_view>> ids;
  for (const prometheus_api::Series& series : reply.series)
    ids[IdentityOf(table, series.labels)].insert(prometheus_api::LabelValue(series.labels, "reason"));
  for (const auto& [identity, store] : wanted) {
    std::set<std::string_view>& own = ids[identity];
    own.erase("");
    for (const ReasonRow& row : table.reasons) {  // in the spec's order: the verdict line shows the first
      if (own.erase(row.id) > 0) store->coverage_reasons.emplace_back(row.sentence);
    }
    // A reason without a sentence reads as itself; the set makes the order stable.
    for (const std::string_view unnamed : own) store->coverage_reasons.emplace_back(unnamed);
  }
}

}  // namespace

std::int64_t HistoryMs(std::size_t stores) { return stores <= kDetailedStoresMax ? kHistoryMs : 0; }

StoreAt::StoreAt(const Table& table)
    : table_(table),
      coverage_window_ms_(CoverageWindowMs(table)),
      readings_(table.signals.size()),
      merged_(table.signals.size()),
      findings_(table.thresholds.size()) {
  for (std::size_t signal = 0; signal < table.signals.size(); ++signal)
    windows_ms_.push_back(WindowMs(table, signal));
}

void StoreAt::Read(const Store& store, std::int64_t time_ms, std::int64_t history_ms) {
  time_ms_ = time_ms;
  for (std::size_t signal = 0; signal < readings_.size(); ++signal) {
    readings_[signal] =
        ReadingAt(store.signals[signal], time_ms, windows_ms_[signal], history_ms, merged_[signal]);
  }
  coverage_ = ReadingAt(store.coverage, time_ms, coverage_window_ms_, history_ms, coverage_merged_);
}

engine::Decision StoreAt::Decide(Cause presence) {
  return engine::Decide(
      table_, {.time_ms = time_ms_, .presence = presence, .signals = readings_, .coverage = coverage_},
      findings_);
}

bool StoreAt::any_sample() const {
  const auto has_samples = [](const engine::Reading& reading) {
    return !reading.samples.empty() || reading.cause == Cause::kSeveralSeries;
  };
  return has_samples(coverage_) || std::ranges::any_of(readings_, has_samples);
}

// The queries do not grow with the fleet: one for each signal, whatever the number of stores.
FleetSamples Measure(const Table& table, prometheus_api::QuerySource& source, std::int64_t time_ms,
                     std::int64_t lookback_ms, std::int64_t history_ms,
                     const std::vector<prometheus_api::RulesDiffer>& rules_differ) {
  FleetSamples fleet;
  fleet.rules_differ = rules_differ;
  fleet.time_ms = time_ms;
  fleet.lookback_ms = lookback_ms;
  StoreList list(table);
  const bool known = FindStores(table, source, list, fleet);
  const std::int64_t judged_ms = HistoryMs(list.stores().size());
  history_ms = std::max(history_ms, judged_ms);
  fleet.history_ms = history_ms;
  const SeriesChoices choices = AllRecorded(table);
  // Before it is known since when they report, so that the server works on meanwhile.
  PrepareSamples(table, choices, source, time_ms - history_ms, time_ms);
  if (known) FindSince(table, source, list, fleet);
  static_cast<SampleQueries&>(fleet) =
      FetchSamples(table, choices, source, time_ms - history_ms, time_ms, list, fleet);
  StoreAt at(table);
  fleet.stores.reserve(list.stores().size());
  for (Store& store : list.stores()) {
    at.Read(store, time_ms, judged_ms);
    StoreSamples& samples = fleet.stores.emplace_back();
    samples.identity = std::move(store.identity);
    samples.presence = store.presence;
    samples.last_seen_ms = store.last_seen_ms;
    samples.measured_since_ms = store.measured_since_ms;
    if (store.presence == Cause::kWindowNotFull) samples.window_ms = RateWindowMs(table) - table.interval_ms;
    samples.signals.reserve(table.signals.size());
    for (std::size_t signal = 0; signal < table.signals.size(); ++signal)
      samples.signals.push_back(SamplesOf(std::move(store.signals[signal]), at.signal(signal), time_ms,
                                          at.window_ms(signal) + judged_ms));
    samples.coverage =
        SamplesOf(std::move(store.coverage), at.coverage(), time_ms, at.coverage_window_ms() + judged_ms);
  }
  FindReasons(table, source, fleet);
  // Behind the queries' own: if none was answered, the first warning is the one that is printed.
  for (const prometheus_api::RulesDiffer& one : fleet.rules_differ) {
    fleet.Warn(fmt::format("{} is recorded by rules with different expressions ({}): remove the older ones",
                           one.series, fmt::join(one.files, ", ")));
  }
  // Servers answer in any order; records and reports of the same decision must be the same text.
  if (!std::ranges::is_sorted(fleet.stores, {}, &StoreSamples::identity))  // as most do
    std::ranges::sort(fleet.stores, {}, &StoreSamples::identity);
  return fleet;
}

std::int64_t WindowMs(const Table& table, std::size_t signal) {
  std::int64_t hold_ms = 0;
  for (const ThresholdRow& threshold : table.thresholds) {
    if (threshold.signal == signal) hold_ms = std::max(hold_ms, threshold.hold_ms);
  }
  return hold_ms + 4 * table.interval_ms;
}

std::int64_t CoverageWindowMs(const Table& table) {
  std::int64_t longest_ms = 0;
  for (std::size_t signal = 0; signal < table.signals.size(); ++signal) {
    longest_ms = std::max(longest_ms, WindowMs(table, signal));
  }
  return longest_ms + 2 * table.interval_ms;
}

// Both ends inclusive. Binary search, since a period asks for it at every evaluation.
std::span<const Sample> Upto(std::span<const Sample> samples, std::int64_t time_ms, std::int64_t window_ms) {
  const auto end = std::ranges::upper_bound(samples, time_ms, {}, &Sample::time_ms);
  const auto begin =
      std::ranges::lower_bound(samples.begin(), end, time_ms - window_ms, {}, &Sample::time_ms);
  return {begin, end};
}

engine::Reading ReadingAt(const Fetched& fetched, std::int64_t time_ms, std::int64_t window_ms,
                          std::int64_t history_ms, std::vector<Sample>& merged) {
  const bool partial = fetched.cause == Cause::kPartialAnswer;
  if (fetched.cause != Cause::kNone && !partial) return {.cause = fetched.cause};
  engine::Reading reading = ReadSeries(fetched.series, time_ms, window_ms, history_ms, merged);
  // What is in a partial answer can be shown, and is not judged.
  if (partial) reading.cause = Cause::kPartialAnswer;
  return reading;
}

}  // namespace outgrown::decision
