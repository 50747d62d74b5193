#include "decision/alerts.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace outgrown::decision {
namespace {

using engine::Finding;
using engine::State;

// Prometheus restores an alert's `for` state after a restart only where `for` is at least this long, and restarts the
// others from zero (--rules.alert.for-grace-period, 10 m by default). From 3.16 on it also restores those that were firing.
constexpr std::int64_t kGraceMs = 600'000;

// The state of each alert of each store, by index of Table::thresholds, at each evaluation.
using AlertStates = std::map<Identity, std::map<std::size_t, std::map<std::int64_t, AlertState>>>;

std::optional<AlertStates> ReadAlerts(const Table& table, prometheus_api::QuerySource& source,
                                      std::int64_t range_ms, FleetNotes& fleet) {
  std::vector<std::string_view> names;
  for (const ThresholdRow& threshold : table.thresholds) names.push_back(threshold.alert);
  // Alert names are identifiers, so that none of them means anything to a regular expression.
  const prometheus_api::Reply reply =
      prometheus_api::AskSamples(source, fmt::format("ALERTS{{alertname=~\"{}\"}}", fmt::join(names, "|")),
                                 fleet.time_ms, range_ms, fleet);
  if (!reply.usable()) return std::nullopt;
  AlertStates states;
  for (const prometheus_api::Series& series : reply.series) {
    const std::string_view state = prometheus_api::LabelValue(series.labels, "alertstate");
    const auto threshold = std::ranges::find(
        table.thresholds, prometheus_api::LabelValue(series.labels, "alertname"), &ThresholdRow::alert);
    // An answer to another question: nothing of it is compared, since an alert that is missing in it would
    // read as drift.
    if (threshold == table.thresholds.end() || (state != "firing" && state != "pending")) {
      fleet.Warn(fmt::format("{}: the answer holds a series that was not asked for", reply.asked.promql));
      return std::nullopt;
    }
    const auto index = static_cast<std::size_t>(threshold - table.thresholds.begin());
    auto& by_time = states[IdentityOf(table, series.labels)][index];
    for (const Sample& sample : series.samples) {
      // Several series of one alert and store (labels that a rule by hand added) count as the furthest state.
      AlertState& kept = by_time[sample.time_ms];
      kept = std::max(kept, state == "firing" ? AlertState::kFiring : AlertState::kPending);
    }
  }
  return states;
}

// Where decision and alert differ.
struct Mismatch {
  std::size_t subject;
  std::size_t threshold;
};

// Whether keep_firing_for holds an alert. kUnknown: the answer is incomplete, is not of the evaluation that
// the decision used, or does not reach back far enough to show it.
enum class Held { kNo, kYes, kUnknown };

// Going back from the newest of `samples` to a breach, no run of evaluations at which the condition was false
// is as long as keep_firing_for. (A condition that becomes true again in time stops Prometheus' clock, and
// the alert fires on through the new pending time.) A gap that may hide a breach leaves it unknown.
Held JudgeHeld(const Table& table, const ThresholdRow& threshold, std::int64_t lag_ms,
               std::span<const Sample> samples) {
  std::optional<std::int64_t> run_end_ms;  // the newest evaluation of the present run of false ones
  for (std::size_t count = samples.size(); count > 0; --count) {
    const Sample& sample = samples[count - 1];
    const bool beyond = engine::Beyond(threshold, sample.value);
    if (count < samples.size()) {
      const std::int64_t apart_ms = samples[count].time_ms - sample.time_ms;
      // Evaluations are missing. They can't hide a whole breach only if the condition was false on both sides and the
      // stretch between these is shorter than `for` (with half an interval of jitter at each end).
      const bool missing = 2 * apart_ms > 3 * table.interval_ms;
      const bool may_hide =
          beyond || !run_end_ms || 2 * apart_ms > 2 * threshold.hold_ms + 3 * table.interval_ms;
      if (missing && may_hide) return Held::kUnknown;
    }
    if (!beyond) {
      if (!run_end_ms) run_end_ms = sample.time_ms;
      if (*run_end_ms - sample.time_ms >= table.keep_firing_for_ms + lag_ms) return Held::kNo;
      continue;
    }
    run_end_ms.reset();
    // The same judgement as the decision's, moved back to that evaluation; coverage is left out, as
    // Prometheus' alert knows none.
    const engine::Clock clock = {sample.time_ms, table.interval_ms};
    const engine::State state =
        engine::JudgeWindow(threshold, {.samples = samples.first(count)}, {}, clock).state;
    if (state == engine::State::kBreached) return Held::kYes;
    if (state == engine::State::kUnknown) return Held::kUnknown;
  }
  return Held::kUnknown;
}

// For each of these mismatches of one signal, with one query for all stores. Unknown ones become a warning of
// the fleet.
std::vector<Held> FindHeld(const Table& table, std::size_t signal, const std::vector<Mismatch>& mismatches,
                           const std::vector<AlertSubject>& subjects, std::int64_t lag_ms,
                           prometheus_api::QuerySource& source, FleetNotes& fleet) {
  std::vector<Held> held(mismatches.size(), Held::kUnknown);
  const std::string_view series_name = table.signals[signal].series;
  // The run of false evaluations is at most keep_firing_for; before it lies the window of the breach that started it.
  const std::int64_t range_ms = 2 * WindowMs(table, signal) + table.keep_firing_for_ms + lag_ms;
  prometheus_api::Reply reply =
      prometheus_api::AskSamples(source, series_name, fleet.time_ms, range_ms, fleet);
  if (!reply.usable()) return held;
  std::map<Identity, Fetched> fetched;
  for (prometheus_api::Series& series : reply.series)
    fetched[IdentityOf(table, series.labels)].series.push_back(std::move(series.samples));
  std::vector<Sample> merged;
  std::size_t unknown = 0;
  for (std::size_t index = 0; index < mismatches.size(); ++index) {
    const StoreSamples& subject = *subjects[mismatches[index].subject].samples;
    const engine::Reading history = ReadingAt(fetched[subject.identity], fleet.time_ms, range_ms, 0, merged);
    // The answer must end with the decision's own evaluation; otherwise it says nothing about it.
    const bool fits = history.cause == engine::Cause::kNone &&
                      history.samples.back() == subject.signals[signal].samples.back();
    const ThresholdRow& threshold = table.thresholds[mismatches[index].threshold];
    if (fits) held[index] = JudgeHeld(table, threshold, lag_ms, history.samples);
    if (held[index] == Held::kUnknown) ++unknown;
  }
  if (unknown > 0) {
    fleet.Warn(fmt::format("{}: the samples don't show whether keep_firing_for holds {} firing alert{}",
                           reply.asked.promql, unknown, unknown == 1 ? "" : "s"));
  }
  return held;
}

// Whether E is among the first evaluations since the server's start, in which it writes no ALERTS at all
// (Prometheus writes them once it has restored their `for`, in the third).
bool AlertsUnwritten(std::span<const Sample> samples, std::int64_t start_ms) {
  constexpr std::ptrdiff_t kUnwritten = 2;
  return std::ranges::count_if(samples, [&](const Sample& sample) { return sample.time_ms >= start_ms; }) <=
         kUnwritten;
}

// Alerts that are less far than their thresholds, pending or absent: explained if Prometheus has just started.
void ExplainByStart(const Table& table, const std::vector<Mismatch>& mismatches,
                    const std::vector<AlertSubject>& subjects, bool has_alerts,
                    prometheus_api::QuerySource& source, FleetNotes& fleet,
                    std::vector<std::vector<AlertComparison>>& comparisons) {
  if (mismatches.empty()) return;
  const std::optional<std::int64_t> start_ms = source.StartTimeMs();
  // A process that was started after T is not the one that evaluated at T.
  const bool known = start_ms && *start_ms <= fleet.time_ms;
  std::set<std::string_view> start_unknown;
  std::set<std::string_view> unwritten;
  std::set<std::string_view> not_imported;
  for (const Mismatch& mismatch : mismatches) {
    const ThresholdRow& threshold = table.thresholds[mismatch.threshold];
    const std::vector<Sample>& samples =
        subjects[mismatch.subject].samples->signals[threshold.signal].samples;
    AlertComparison& comparison = comparisons[mismatch.subject][mismatch.threshold];
    if (comparison.alert == AlertState::kNone) {
      // A server that was started since and has no alert of the spec at all may have been given the recorded series alone.
      const bool is_imported = start_ms && !known && !has_alerts;
      if (!is_imported && !(known && AlertsUnwritten(samples, *start_ms))) continue;
      (is_imported ? not_imported : unwritten).insert(threshold.alert);
      comparison.agreement = Agreement::kNotCompared;
    } else if (!known) {
      comparison.agreement = Agreement::kNotCompared;
      start_unknown.insert(threshold.alert);
    } else if (fleet.time_ms - *start_ms <= threshold.hold_ms + kGraceMs) {
      comparison.agreement = Agreement::kPendingAfterStart;
    }
  }
  for (const std::string_view alert : start_unknown) {
    fleet.Warn(fmt::format(
        "the alert {} is pending where its threshold is breached, and not compared: the server doesn't say "
        "whether Prometheus has just started",
        alert));
  }
  for (const std::string_view alert : unwritten) {
    fleet.Warn(fmt::format(
        "the alert {} is not compared: Prometheus has just started, and writes no ALERTS yet", alert));
  }
  for (const std::string_view alert : not_imported) {
    fleet.Warn(fmt::format(
        "the alert {} is not compared: the server was started later than that, and has no ALERTS of the spec",
        alert));
  }
}

}  // namespace

std::string_view AlertStateId(AlertState state) {
  switch (state) {
    case AlertState::kNone:
      return "none";
    case AlertState::kPending:
      return "pending";
    case AlertState::kFiring:
      return "firing";
  }
  return "none";
}

std::string_view AgreementId(Agreement agreement) {
  switch (agreement) {
    case Agreement::kAgrees:
      return "agrees";
    case Agreement::kNotCompared:
      return "not_compared";
    case Agreement::kFiringUnknown:
      return "firing_unknown";
    case Agreement::kPendingAfterStart:
      return "pending_after_start";
    case Agreement::kFiringHeld:
      return "firing_held";
    case Agreement::kDrift:
      return "drift";
  }
  return "not_compared";
}

std::vector<std::vector<AlertComparison>> CompareAlerts(const Table& table,
                                                        prometheus_api::QuerySource& source,
                                                        const std::vector<AlertSubject>& subjects, bool lag,
                                                        FleetNotes& fleet, bool& compared) {
  std::vector<std::vector<AlertComparison>> comparisons(subjects.size());
  const std::int64_t lag_ms = lag ? LagMs(table) : 0;
  const AlertStates::mapped_type none;
  const std::map<std::int64_t, AlertState> never;
  const std::optional<AlertStates> states = ReadAlerts(table, source, 3 * table.interval_ms + lag_ms, fleet);
  compared = states.has_value();
  if (!states) return comparisons;

  std::vector<Mismatch> lagging;                            // breached or pending here, less far there
  std::map<std::size_t, std::vector<Mismatch>> maybe_held;  // firing there and not breached here, by signal
  for (std::size_t subject = 0; subject < subjects.size(); ++subject) {
    comparisons[subject].resize(table.thresholds.size());
    const auto of_store = states->find(subjects[subject].samples->identity);
    const auto& by_threshold = of_store != states->end() ? of_store->second : none;
    for (std::size_t index = 0; index < table.thresholds.size(); ++index) {
      const ThresholdRow& threshold = table.thresholds[index];
      const Finding& finding = (*subjects[subject].findings)[index];
      const std::vector<Sample>& samples = subjects[subject].samples->signals[threshold.signal].samples;
      AlertComparison& comparison = comparisons[subject][index];
      // Without a sample there is no evaluation to compare at.
      if (samples.empty()) continue;
      const auto found = by_threshold.find(index);
      const auto& by_time = found != by_threshold.end() ? found->second : never;
      std::vector<AlertState> near;
      if (lag) {
        near = StatesNear(table, samples.back().time_ms, by_time);
        comparison.alert = near.front();
      } else if (const auto at_newest = by_time.find(samples.back().time_ms); at_newest != by_time.end()) {
        // Exactly at E: ALERTS one evaluation earlier or later may be in another state.
        comparison.alert = at_newest->second;
      }
      if (finding.state == State::kUnknown) {
        if (comparison.alert == AlertState::kFiring) comparison.agreement = Agreement::kFiringUnknown;
        continue;
      }
      // Drift until one of the exceptions below explains it.
      comparison.agreement = Agrees(finding.state, comparison.alert) ? Agreement::kAgrees : Agreement::kDrift;
      if (lag && comparison.agreement == Agreement::kDrift) {
        const std::int64_t from_ms = fleet.time_ms - WindowMs(table, threshold.signal) - fleet.history_ms;
        std::vector<Sample> all = subjects[subject].samples->signals[threshold.signal].earlier;
        all.insert(all.end(), samples.begin(), samples.end());
        comparison.agreement = CompareWithLag(table, threshold, all, near, from_ms);
        if (comparison.agreement == Agreement::kNotCompared) {
          fleet.Warn(fmt::format("the alert {} is not compared: a store's series begin too late for it",
                                 threshold.alert));
          continue;
        }
      }
      if (comparison.agreement == Agreement::kAgrees) continue;
      if (comparison.alert == AlertState::kFiring) maybe_held[threshold.signal].push_back({subject, index});
      const bool lags = comparison.alert == AlertState::kNone ||
                        (finding.state == State::kBreached && comparison.alert == AlertState::kPending);
      if (lags) lagging.push_back({subject, index});
    }
  }
  if (table.keep_firing_for_ms > 0) {
    for (const auto& [signal, mismatches] : maybe_held) {
      const std::vector<Held> held = FindHeld(table, signal, mismatches, subjects, lag_ms, source, fleet);
      for (std::size_t index = 0; index < held.size(); ++index) {
        Agreement& agreement = comparisons[mismatches[index].subject][mismatches[index].threshold].agreement;
        if (held[index] == Held::kYes) agreement = Agreement::kFiringHeld;
        if (held[index] == Held::kUnknown) agreement = Agreement::kNotCompared;
      }
    }
  }
  ExplainByStart(table, lagging, subjects, !states->empty(), source, fleet, comparisons);
  return comparisons;
}

}  // namespace outgrown::decision
