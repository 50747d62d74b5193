#include "decision/alerts.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/duration.h"
#include "decision/held_alerts.h"
#include "decision/stores.h"

namespace outgrown::evaluate {
namespace {

using decide::Finding;
using decide::State;

// Prometheus restores an alert's `for` state after a restart only where `for` is at least this long, and counts the
// others anew (--rules.alert.for-grace-period, 10 m by default).
constexpr std::int64_t kGraceMs = 600'000;

// The state of each alert of each store at each evaluation.
using AlertStates = std::map<std::pair<Identity, std::size_t>, std::map<std::int64_t, AlertState>>;

std::optional<AlertStates> ReadAlerts(const Table& table, prometheus_api::QuerySource& source,
                                      FleetSamples& fleet) {
  std::vector<std::string_view> names;
  for (const ThresholdRow& threshold : table.thresholds) names.push_back(threshold.alert);
  // Alert names are identifiers, so that none of them means anything to a regular expression.
  const std::string promql = fmt::format("ALERTS{{alertname=~\"{}\"}}[{}]", fmt::join(names, "|"),
                                         FormatDuration(Milliseconds(3 * table.interval_ms)));
  QueryDone done;
  const Result<prometheus_api::Answer> answer =
      Ask(source, promql, prometheus_api::ResultType::kMatrix, done, fleet);
  if (!answer || answer->partial) return std::nullopt;
  AlertStates states;
  for (const prometheus_api::Series& series : answer->series) {
    const std::string_view state = prometheus_api::LabelValue(series.labels, "alertstate");
    const auto threshold = std::ranges::find(
        table.thresholds, prometheus_api::LabelValue(series.labels, "alertname"), &ThresholdRow::alert);
    if (threshold == table.thresholds.end() || (state != "firing" && state != "pending")) {
      Fail(done, decide::Cause::kQueryFailed, "the answer holds another series than was asked for", fleet);
      return std::nullopt;
    }
    const auto index = static_cast<std::size_t>(threshold - table.thresholds.begin());
    auto& by_time = states[{IdentityOf(table, series.labels), index}];
    for (const Sample& sample : series.samples) {
      // An alert that has several series for one store counts as its furthest.
      AlertState& kept = by_time[sample.time_ms];
      kept = std::max(kept, state == "firing" ? AlertState::kFiring : AlertState::kPending);
    }
  }
  return states;
}

bool Agrees(State state, AlertState alert) {
  switch (state) {
    case State::kBreached:
      return alert == AlertState::kFiring;
    case State::kPending:
      return alert == AlertState::kPending;
    case State::kNotBreached:
      return alert == AlertState::kNone;
    case State::kUnknown:
      return true;
  }
  return true;
}

// Alerts that are pending where the threshold is breached: has Prometheus just started?
void ExplainPending(const Table& table, const std::vector<Mismatch>& mismatches,
                    prometheus_api::QuerySource& source, FleetSamples& fleet,
                    std::vector<std::vector<AlertComparison>>& comparisons) {
  if (mismatches.empty()) return;
  const std::optional<std::int64_t> start_ms = source.StartTimeMs();
  // A process that was started after T says nothing about the one of T.
  const bool known = start_ms && *start_ms <= fleet.time_ms;
  std::set<std::string_view> not_compared;
  for (const Mismatch& mismatch : mismatches) {
    const ThresholdRow& threshold = table.thresholds[mismatch.threshold];
    Agreement& agreement = comparisons[mismatch.subject][mismatch.threshold].agreement;
    if (!known) {
      agreement = Agreement::kNotCompared;
      not_compared.insert(threshold.alert);
    } else if (fleet.time_ms - *start_ms <= threshold.hold_ms + kGraceMs) {
      agreement = Agreement::kPendingAfterStart;
    }
  }
  for (const std::string_view alert : not_compared) {
    fleet.warnings.push_back(fmt::format(
        "the alert {} is pending where its threshold is breached, and not compared: the server doesn't say "
        "whether Prometheus has just started",
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
                                                        const std::vector<AlertSubject>& subjects,
                                                        FleetSamples& fleet, bool& compared) {
  std::vector<std::vector<AlertComparison>> comparisons(subjects.size());
  const std::optional<AlertStates> states = ReadAlerts(table, source, fleet);
  compared = states.has_value();
  if (!states) return comparisons;

  std::vector<Mismatch> unstarted;                          // breached here, pending there
  std::map<std::size_t, std::vector<Mismatch>> maybe_held;  // firing there and not breached here, by signal
  for (std::size_t subject = 0; subject < subjects.size(); ++subject) {
    comparisons[subject].resize(table.thresholds.size());
    for (std::size_t index = 0; index < table.thresholds.size(); ++index) {
      const ThresholdRow& threshold = table.thresholds[index];
      const Finding& finding = (*subjects[subject].findings)[index];
      const std::vector<Sample>& samples = subjects[subject].samples->signals[threshold.signal].samples;
      AlertComparison& comparison = comparisons[subject][index];
      if (samples.empty()) continue;
      const auto found = states->find({subjects[subject].samples->identity, index});
      if (found != states->end()) {
        const auto at_newest = found->second.find(samples.back().time_ms);
        if (at_newest != found->second.end()) comparison.alert = at_newest->second;
      }
      if (finding.state == State::kUnknown) {
        if (comparison.alert == AlertState::kFiring) comparison.agreement = Agreement::kFiringUnknown;
        continue;
      }
      comparison.agreement = Agrees(finding.state, comparison.alert) ? Agreement::kAgrees : Agreement::kDrift;
      if (comparison.agreement == Agreement::kAgrees) continue;
      if (comparison.alert == AlertState::kFiring) maybe_held[threshold.signal].push_back({subject, index});
      if (finding.state == State::kBreached && comparison.alert == AlertState::kPending) {
        unstarted.push_back({subject, index});
      }
    }
  }
  if (table.keep_firing_for_ms > 0) {
    for (const auto& [signal, mismatches] : maybe_held) {
      const std::vector<Held> held = FindHeld(table, signal, mismatches, subjects, source, fleet);
      for (std::size_t index = 0; index < held.size(); ++index) {
        Agreement& agreement = comparisons[mismatches[index].subject][mismatches[index].threshold].agreement;
        if (held[index] == Held::kYes) agreement = Agreement::kFiringHeld;
        if (held[index] == Held::kUnknown) agreement = Agreement::kNotCompared;
      }
    }
  }
  ExplainPending(table, unstarted, source, fleet, comparisons);
  return comparisons;
}

}  // namespace outgrown::evaluate
