#include "rulegen/evaluate/evaluation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include <fmt/format.h>

#include "rulegen/evaluate/time_text.h"

namespace outgrown::evaluate {
namespace {

using decide::Cause;
using decide::Outcome;
using decide::State;

decide::Reading ReadingOf(const SignalSamples& samples) {
  return {.cause = samples.cause, .samples = samples.samples};
}

// "File size: no recorded series", "Write errors: the recorded series has stopped"
std::string UnknownText(const Table& table, const StoreDecision& store, std::size_t threshold) {
  return fmt::format("{}: {}", table.signals[table.thresholds[threshold].signal].title,
                     decide::CauseText(store.findings[threshold].cause));
}

}  // namespace

void DecideStore(const Table& table, Origin origin, std::int64_t time_ms, StoreDecision& store) {
  store.findings.resize(table.thresholds.size());
  if (origin == Origin::kGiven) {
    std::vector<double> values;
    for (std::size_t signal = 0; signal < table.signals.size(); ++signal) {
      const std::optional<decide::Sample> given = Newest(store, signal);
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

Evaluation EvaluateMeasured(const Table& table, QuerySource& source, std::int64_t time_ms) {
  Evaluation evaluation;
  evaluation.table = &table;
  evaluation.server = source.name();
  evaluation.time_ms = time_ms;
  evaluation.fleet = Measure(table, source, time_ms);
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

std::string VerdictLine(const Table& table, const StoreDecision& store) {
  const std::string_view verdict = decide::VerdictText(table, store.decision);
  switch (store.decision.outcome) {
    case Outcome::kSufficient:
      return std::string(verdict);
    case Outcome::kBreached:
      return fmt::format("{} - {}", verdict, decide::Because(table, store.decision));
    case Outcome::kUndetermined:
      break;
  }
  if (store.decision.lead != decide::kNoThreshold) {
    return fmt::format("{} - {}", verdict, UnknownText(table, store, store.decision.lead));
  }
  if (store.decision.cause == Cause::kSilent && store.samples.last_seen_ms) {
    return fmt::format("{} - no data since {}", verdict, UtcText(*store.samples.last_seen_ms));
  }
  return fmt::format("{} - {}", verdict, decide::CauseText(store.decision.cause));
}

std::string NoStoreLine(const Evaluation& evaluation) {
  if (!evaluation.fleet.answered)
    return fmt::format("UNDETERMINED - {} answered no query", evaluation.server);
  return fmt::format("UNDETERMINED - no store found: {} has shown none for 26 hours",
                     evaluation.table->present);
}

std::vector<std::string> AlsoLines(const Table& table, const StoreDecision& store) {
  std::vector<std::string> lines;
  for (std::size_t index = 0; index < store.findings.size(); ++index) {
    if (index == store.decision.lead || store.findings[index].state != State::kBreached) continue;
    lines.emplace_back(table.thresholds[index].because);
  }
  return lines;
}

std::vector<std::string> UnknownLines(const Table& table, const StoreDecision& store) {
  std::vector<std::string> lines;
  const std::string verdict_line = VerdictLine(table, store);
  for (std::size_t index = 0; index < store.findings.size(); ++index) {
    if (store.findings[index].state != State::kUnknown) continue;
    std::string text = UnknownText(table, store, index);
    if (!verdict_line.ends_with(" - " + text) && std::ranges::find(lines, text) == lines.end()) {
      lines.push_back(std::move(text));
    }
  }
  return lines;
}

std::optional<decide::Sample> Newest(const StoreDecision& store, std::size_t signal) {
  const SignalSamples& samples = store.samples.signals[signal];
  if (samples.cause != Cause::kNone || samples.samples.empty()) return std::nullopt;
  return samples.samples.back();
}

int Badness(const Table& table, const StoreDecision& store) {
  const int verdicts = static_cast<int>(table.verdicts.size());
  switch (store.decision.outcome) {
    case Outcome::kBreached:
      // The most severe verdict, then what could be as severe, then the milder ones.
      return store.decision.verdict + 1 == table.verdicts.size()
                 ? verdicts + 1
                 : static_cast<int>(store.decision.verdict) + 1;
    case Outcome::kUndetermined:
      return verdicts;
    case Outcome::kSufficient:
      return 0;
  }
  return 0;
}

}  // namespace outgrown::evaluate
