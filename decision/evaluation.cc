#include "decision/evaluation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "decision/wording.h"

namespace outgrown::evaluate {
namespace {

using decide::Cause;
using decide::Outcome;
using decide::State;

decide::Reading ReadingOf(const SignalSamples& samples) {
  return {.cause = samples.cause, .samples = samples.samples};
}

}  // namespace

void DecideStore(const Table& table, Origin origin, std::int64_t time_ms, StoreDecision& store) {
  store.findings.resize(table.thresholds.size());
  if (origin == Origin::kGiven) {
    std::vector<double> values;
    for (std::size_t signal = 0; signal < table.signals.size(); ++signal) {
      const std::optional<Sample> given = Newest(store, signal);
      values.push_back(given ? given->value : std::numeric_limits<double>::quiet_NaN());
    }
    store.decision = decide::DecideGiven(table, values, store.findings);
    return;
  }
  std::vector<decide::Reading> readings;
  readings.reserve(store.samples.signals.size());
  for (const SignalSamples& samples : store.samples.signals) readings.push_back(ReadingOf(samples));
  store.decision = decide::Decide(table,
                                  {.time_ms = time_ms,
                                   .presence = store.samples.presence,
                                   .signals = readings,
                                   .coverage = ReadingOf(store.samples.coverage)},
                                  store.findings);
}

Evaluation EvaluateMeasured(const Table& table, prometheus_api::QuerySource& source, std::int64_t time_ms,
                            std::int64_t period_ms) {
  Evaluation evaluation;
  evaluation.table = &table;
  evaluation.server = source.name();
  evaluation.time_ms = time_ms;
  evaluation.fleet = Measure(table, source, time_ms, std::max(kLookbackMs, period_ms));
  std::vector<AlertSubject> subjects;
  evaluation.stores.reserve(evaluation.fleet.stores.size());  // the subjects point into it
  for (StoreSamples& samples : evaluation.fleet.stores) {
    StoreDecision& store = evaluation.stores.emplace_back();
    for (std::size_t index = 0; index < table.identity.size(); ++index) {
      store.labels.emplace_back(table.identity[index], samples.identity[index]);
    }
    store.samples = std::move(samples);
    DecideStore(table, Origin::kPrometheus, time_ms, store);
    subjects.push_back({&store.samples, &store.findings});
  }
  evaluation.fleet.stores.clear();
  if (evaluation.stores.empty()) return evaluation;
  std::vector<std::vector<AlertComparison>> alerts =
      CompareAlerts(table, source, subjects, evaluation.fleet, evaluation.alerts_compared);
  for (std::size_t index = 0; index < alerts.size(); ++index) {
    evaluation.stores[index].alerts = std::move(alerts[index]);
  }
  return evaluation;
}

const QueryDone* PresenceProblem(const FleetSamples& fleet) {
  const auto failed = std::ranges::find_if(
      fleet.presence_queries, [](const QueryDone& query) { return query.cause != decide::Cause::kNone; });
  return failed == fleet.presence_queries.end() ? nullptr : &*failed;
}

void LookBack(Evaluation& evaluation, prometheus_api::QuerySource& source, std::int64_t from_ms) {
  if (evaluation.stores.empty()) return;
  const Table& table = *evaluation.table;
  std::vector<std::vector<std::string>> identities;
  for (const StoreDecision& store : evaluation.stores) identities.push_back(store.samples.identity);
  std::vector<Period> periods =
      MeasurePeriod(table, source, from_ms, evaluation.time_ms, identities, evaluation.fleet);
  for (std::size_t index = 0; index < periods.size(); ++index) {
    StoreDecision& store = evaluation.stores[index];
    store.decision = ConcludePeriod(table, periods[index], store.decision);
    store.period = std::move(periods[index]);
    // Where the end alone proves the breach, its inputs are the evidence.
    if (StoodText(store).empty()) store.period->stood.reset();
  }
}

Evaluation EvaluateGiven(const Table& table, const std::vector<GivenStore>& given, std::int64_t time_ms) {
  Evaluation evaluation;
  evaluation.table = &table;
  evaluation.origin = Origin::kGiven;
  evaluation.time_ms = time_ms;
  evaluation.fleet.time_ms = time_ms;
  evaluation.fleet.answered = true;
  evaluation.fleet.signal_queries.resize(table.signals.size());
  for (const GivenStore& one : given) {
    StoreDecision& store = evaluation.stores.emplace_back();
    store.labels = one.labels;
    for (const double value : one.values) {
      SignalSamples& samples = store.samples.signals.emplace_back();
      samples.cause = std::isnan(value) ? Cause::kNotGiven : Cause::kNone;
      if (!std::isnan(value)) samples.samples = {{time_ms, value}};
    }
    DecideStore(table, Origin::kGiven, time_ms, store);
  }
  return evaluation;
}

}  // namespace outgrown::evaluate
