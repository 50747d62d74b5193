#include "decision/evaluation.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <string>

#include <fmt/format.h>

#include "common/time_text.h"
#include "decision/measure/measure_period.h"

namespace outgrown::decision {
namespace {

using engine::Cause;
using engine::Outcome;

// Asks for the shares of the breached signals by reason: one query for each signal with a split, none if no
// store needs it. Over a period it is the period's mean, since the breach may have ended before its end; of the stores
// whose period is that one. The result changes only the text, never the decision.
void FindSplits(Evaluation& evaluation, prometheus_api::QuerySource& source, std::int64_t period_ms) {
  const Table& table = *evaluation.table;
  for (std::size_t signal = 0; signal < table.signals.size(); ++signal) {
    std::map<Identity, StoreDecision*> wanted;
    for (StoreDecision& store : evaluation.stores) {
      const std::int64_t own_ms = store.period ? store.period->to_ms - store.period->from_ms : 0;
      if (own_ms == period_ms && SplitSignal(table, store) == signal && store.split.empty())
        wanted[store.samples.identity] = &store;
    }
    if (wanted.empty()) continue;
    std::string promql(table.signals[signal].split_series);
    if (period_ms > 0)
      promql = fmt::format("avg_over_time({}[{}])", promql, FormatDuration(Milliseconds(period_ms)));
    const prometheus_api::Reply reply =
        prometheus_api::AskVector(source, promql, evaluation.time_ms, evaluation.fleet);
    if (!reply.usable()) continue;
    for (const prometheus_api::Series& series : reply.series) {
      const auto store = wanted.find(IdentityOf(table, series.labels));
      const double value = series.samples.front().value;
      if (store == wanted.end() || !(std::isfinite(value) && value > 0)) continue;
      store->second->split.push_back(
          {std::string(prometheus_api::LabelValue(series.labels, "reason")), value});
    }
    for (const auto& [identity, store] : wanted) {
      const double sum =
          std::accumulate(store->split.begin(), store->split.end(), 0.0,
                          [](double so_far, const Share& share) { return so_far + share.part; });
      // Every part is above 0, so the sum is; no share leaves the list empty and nothing is divided.
      for (Share& share : store->split) share.part /= sum;
      std::ranges::sort(store->split, std::greater<>(), &Share::part);
    }
  }
}

engine::Reading ReadingOf(const SignalSamples& samples) {
  return {.cause = samples.cause, .samples = samples.samples};
}

}  // namespace

std::optional<std::size_t> SplitSignal(const Table& table, const StoreDecision& store) {
  const std::size_t threshold =
      store.decision.outcome == Outcome::kBreached ? store.decision.lead : store.decision.pending;
  if (store.decision.outcome == Outcome::kUndetermined || threshold == engine::kNoThreshold) return {};
  const std::size_t signal = table.thresholds[threshold].signal;
  return table.signals[signal].split_series.empty() ? std::nullopt : std::optional(signal);
}

void DecideStore(const Table& table, Origin origin, std::int64_t time_ms, StoreDecision& store) {
  store.findings.resize(table.thresholds.size());
  if (origin == Origin::kGiven) {
    std::vector<double> values;
    for (std::size_t signal = 0; signal < table.signals.size(); ++signal) {
      // One value a signal and no history, so `for` does not apply. NaN is how the engine takes "not given".
      const std::optional<Sample> given = Newest(store, signal);
      values.push_back(given ? given->value : std::numeric_limits<double>::quiet_NaN());
    }
    store.decision = engine::DecideGiven(table, values, store.findings);
    return;
  }
  std::vector<engine::Reading> readings;
  readings.reserve(store.samples.signals.size());
  for (const SignalSamples& samples : store.samples.signals) readings.push_back(ReadingOf(samples));
  store.decision = engine::Decide(table,
                                  {.time_ms = time_ms,
                                   .presence = store.samples.presence,
                                   .signals = readings,
                                   .coverage = ReadingOf(store.samples.coverage)},
                                  store.findings);
}

Evaluation EvaluateMeasured(const Table& table, prometheus_api::QuerySource& source, std::int64_t time_ms,
                            std::int64_t period_ms, const prometheus_api::RuleFindings& rules) {
  Evaluation evaluation;
  evaluation.table = &table;
  evaluation.server = source.name();
  evaluation.time_ms = time_ms;
  evaluation.fleet = Measure(table, source, time_ms, std::max(kLookbackMs, period_ms),
                             rules.alerts_lag ? LagMs(table) : 0, rules.differ);
  std::vector<AlertSubject> subjects;
  evaluation.stores.reserve(evaluation.fleet.stores.size());  // `subjects` points into it
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
  // No store, no alert to compare: the query would only cost time.
  if (evaluation.stores.empty()) return evaluation;
  std::vector<std::vector<AlertComparison>> alerts =
      CompareAlerts(table, source, subjects, rules.alerts_lag, evaluation.fleet, evaluation.alerts_compared);
  for (std::size_t index = 0; index < alerts.size(); ++index) {
    evaluation.stores[index].alerts = std::move(alerts[index]);
  }
  // Over a period LookBack asks, once the verdict is known.
  if (period_ms == 0) FindSplits(evaluation, source, 0);
  return evaluation;
}

// A partial answer counts too: a store that it lacks would not be missed.
const QueryDone* PresenceProblem(const FleetSamples& fleet) {
  const auto failed = std::ranges::find_if(fleet.presence_queries, [](const QueryDone& query) {
    return query.trust != prometheus_api::Trust::kUsable;
  });
  return failed == fleet.presence_queries.end() ? nullptr : &*failed;
}

void LookBack(Evaluation& evaluation, prometheus_api::QuerySource& source, std::int64_t from_ms) {
  LookBack(evaluation, source, std::vector<PeriodBegin>(evaluation.stores.size(), {.from_ms = from_ms}));
}

void LookBack(Evaluation& evaluation, prometheus_api::QuerySource& source,
              std::span<const PeriodBegin> begins) {
  if (evaluation.stores.empty()) return;
  const Table& table = *evaluation.table;
  std::vector<Identity> identities;
  for (const StoreDecision& store : evaluation.stores) identities.push_back(store.samples.identity);
  std::vector<Period> periods =
      MeasurePeriod(table, source, begins, evaluation.time_ms, identities, evaluation.fleet);
  for (std::size_t index = 0; index < periods.size(); ++index) {
    StoreDecision& store = evaluation.stores[index];
    store.decision = ConcludePeriod(table, periods[index], store.decision);
    store.period = std::move(periods[index]);
    // Where only the end of the period proves the breach, the record's evidence is the inputs at the end.
    const bool breached_before = store.decision.outcome == Outcome::kBreached &&
                                 store.period->thresholds[store.decision.lead].breached_evaluations > 0;
    if (!breached_before) store.period->first_breach.reset();
  }
  std::set<std::int64_t> from_ms;
  for (const PeriodBegin& begin : begins) from_ms.insert(begin.from_ms);
  for (const std::int64_t begin_ms : from_ms) FindSplits(evaluation, source, evaluation.time_ms - begin_ms);
}

namespace {

void AddCeilingTrends(Evaluation& evaluation, std::size_t signal, prometheus_api::QuerySource& source) {
  for (StoreDecision& store : evaluation.stores) store.ceiling_trends[signal] = Trend{};
  const auto trends = FetchCeilingTrends(*evaluation.table, signal, source, evaluation.time_ms);
  if (!trends) {
    const SignalRow& ceiling = evaluation.table->signals[evaluation.table->signals[signal].ceiling];
    evaluation.fleet.Warn(fmt::format("no trend towards {}: {}", ceiling.title, trends.error().what));
    return;
  }
  for (StoreDecision& store : evaluation.stores) {
    const auto found = trends->find(store.samples.identity);
    store.ceiling_trends[signal] =
        found == trends->end() ? Trend{TrendKind::kTooLittleHistory} : found->second;
  }
}

}  // namespace

void AddTrends(Evaluation& evaluation, prometheus_api::QuerySource& source) {
  const Table& table = *evaluation.table;
  // Each query reads three days of samples of every store.
  if (evaluation.stores.empty() || evaluation.stores.size() > kTrendStoresMax) return;
  for (StoreDecision& store : evaluation.stores) {
    store.trends.assign(table.thresholds.size(), {});
    store.ceiling_trends.assign(table.signals.size(), std::nullopt);
  }
  for (std::size_t signal = 0; signal < table.signals.size(); ++signal) {
    if (table.signals[signal].ceiling != kNoSignal) AddCeilingTrends(evaluation, signal, source);
    const auto judged = [signal](const ThresholdRow& threshold) { return threshold.signal == signal; };
    if (std::ranges::none_of(table.thresholds, judged)) continue;
    const auto trends = FetchTrends(table, signal, source, evaluation.time_ms);
    if (!trends) {
      evaluation.fleet.Warn(
          fmt::format("no trend of {}: {}", table.signals[signal].title, trends.error().what));
      continue;
    }
    for (StoreDecision& store : evaluation.stores) {
      const auto found = trends->find(store.samples.identity);
      for (std::size_t index = 0; index < table.thresholds.size(); ++index) {
        if (!judged(table.thresholds[index])) continue;
        store.trends[index] =
            found == trends->end() ? Trend{TrendKind::kTooLittleHistory} : found->second[index];
      }
    }
  }
}

Evaluation EvaluateGiven(const Table& table, const std::vector<GivenStore>& given, std::int64_t time_ms) {
  Evaluation evaluation;
  evaluation.table = &table;
  evaluation.origin = Origin::kGiven;
  evaluation.time_ms = time_ms;
  evaluation.fleet.time_ms = time_ms;
  // Given values need no server.
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

std::optional<Sample> Newest(const StoreDecision& store, std::size_t signal) {
  const SignalSamples& samples = store.samples.signals[signal];
  const bool known = samples.cause == Cause::kNone || samples.cause == Cause::kPartialAnswer;
  if (!known || samples.samples.empty()) return std::nullopt;
  return samples.samples.back();
}

bool IsPending(const StoreDecision& store) {
  return store.decision.outcome == Outcome::kSufficient && store.decision.pending != engine::kNoThreshold;
}

std::string_view StateOf(const StoreDecision& store) {
  switch (store.decision.outcome) {
    case Outcome::kSufficient:
      return IsPending(store) ? "pending" : "sufficient";
    case Outcome::kBreached:
      return "breached";
    case Outcome::kUndetermined:
      break;
  }
  return "undetermined";
}

// The order of reports and tables. Not the exit status, where --exit-code's values and drift have an order of
// their own.
int Badness(const Table& table, const StoreDecision& store) {
  const int verdicts = static_cast<int>(table.verdicts.size());
  switch (store.decision.outcome) {
    case Outcome::kBreached:
      // The most severe verdict first, then undetermined, which could be as severe, then the milder ones.
      return store.decision.verdict + 1 == table.verdicts.size()
                 ? verdicts + 2
                 : static_cast<int>(store.decision.verdict) + 2;
    case Outcome::kUndetermined:
      return verdicts + 1;
    case Outcome::kSufficient:
      return IsPending(store) ? 1 : 0;
  }
  return 0;
}

}  // namespace outgrown::decision
