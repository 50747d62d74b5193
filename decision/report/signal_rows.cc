#include "decision/report/signal_rows.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "common/time_text.h"
#include "decision/report/quantity.h"
#include "decision/report/wording.h"

namespace outgrown::decision {
namespace {

using engine::Finding;
using engine::State;

// Breached before unknown before pending: what a person should see first of a signal's thresholds.
int Rank(State state) {
  switch (state) {
    case State::kBreached:
      return 3;
    case State::kUnknown:
      return 2;
    case State::kPending:
      return 1;
    case State::kNotBreached:
      return 0;
  }
  return 0;
}

// Whether a value on its way to both limits meets `one` first.
bool Nearer(const ThresholdRow& one, const ThresholdRow& other) {
  // Rising values meet the lowest `above` first, falling ones the highest `below`.
  return one.direction == Direction::kAbove ? one.limit < other.limit : one.limit > other.limit;
}

// The threshold that a signal's row shows: the most severe breached one, else the first one that the value
// would meet.
std::size_t ShownThreshold(const Table& table, const StoreDecision& store, std::size_t signal) {
  std::size_t shown = engine::kNoThreshold;
  for (std::size_t index = 0; index < table.thresholds.size(); ++index) {
    const ThresholdRow& threshold = table.thresholds[index];
    if (threshold.signal != signal) continue;
    if (shown == engine::kNoThreshold) {
      shown = index;
      continue;
    }
    const ThresholdRow& other = table.thresholds[shown];
    const int rank = Rank(store.findings[index].state) - Rank(store.findings[shown].state);
    const bool prefer = store.findings[index].state == State::kBreached ? threshold.verdict > other.verdict
                                                                        : Nearer(threshold, other);
    if (rank > 0 || (rank == 0 && prefer)) shown = index;
  }
  return shown;
}

std::string Lasting(const Finding& finding, std::int64_t now_ms) {
  const std::string length = LengthText(std::max<std::int64_t>(0, now_ms - finding.since_ms));
  // The samples may not reach back to the beginning (engine::Finding).
  return finding.since_exact ? length : "at least " + length;
}

// When the last of the signal's breaches in a period ended; nothing if there was none or one goes on.
std::optional<std::int64_t> BreachedUntil(const Table& table, const StoreDecision& store,
                                          std::size_t signal) {
  std::optional<std::int64_t> until_ms;
  if (!store.period) return until_ms;
  for (std::size_t index = 0; index < table.thresholds.size(); ++index) {
    const ThresholdPeriod& threshold = store.period->thresholds[index];
    if (table.thresholds[index].signal != signal || threshold.breached_evaluations == 0) continue;
    if (store.findings[index].state == State::kBreached) return std::nullopt;
    until_ms = std::max(until_ms.value_or(threshold.breached_last_ms), threshold.breached_last_ms);
  }
  return until_ms;
}

std::string StateText(const Evaluation& evaluation, const ThresholdRow& threshold, const Finding& finding) {
  switch (finding.state) {
    case State::kNotBreached:
      return "";
    case State::kUnknown:
      return std::string(engine::CauseText(finding.cause));
    case State::kPending:
      return fmt::format("beyond the limit for {} of {}", Lasting(finding, evaluation.time_ms),
                         LengthText(threshold.hold_ms));
    case State::kBreached:
      break;
  }
  if (evaluation.origin == Origin::kGiven || threshold.hold_ms == 0) return "breached";
  return fmt::format("breached for {}", Lasting(finding, evaluation.time_ms));
}

double Fill(const ThresholdRow& threshold, double value) {
  const bool above = threshold.direction == Direction::kAbove;
  const double share = above ? value / threshold.limit : threshold.limit / value;
  // A limit or a value of 0 gives no share to draw, and a negative one none that grows towards the limit.
  if (engine::Beyond(threshold, value)) return share > 1 ? share : std::numeric_limits<double>::infinity();
  return std::isfinite(share) ? std::clamp(share, 0.0, 1.0) : 0;
}

// The next limit of the signal that is not breached yet; kNoThreshold if there is none.
std::size_t NextThreshold(const Table& table, const StoreDecision& store, std::size_t signal) {
  std::size_t next = engine::kNoThreshold;
  for (std::size_t index = 0; index < table.thresholds.size(); ++index) {
    const ThresholdRow& threshold = table.thresholds[index];
    if (threshold.signal != signal || store.findings[index].state != State::kNotBreached) continue;
    if (next == engine::kNoThreshold || Nearer(threshold, table.thresholds[next])) next = index;
  }
  return next;
}

// Fills the row's trend: of the limit that is shown, or of the next one where the shown one is breached.
void SetTrend(const Table& table, const StoreDecision& store, std::size_t signal, std::size_t shown,
              SignalRowText& row) {
  if (store.trends.empty()) return;
  const std::size_t next = NextThreshold(table, store, signal);
  if (next == engine::kNoThreshold) return;
  const Trend& trend = store.trends[next];
  row.trend_reached = trend.kind == TrendKind::kReached;
  if (row.trend_reached) {
    row.trend = ReachedText(trend.reached_in_seconds);
    if (next != shown) {
      row.trend = fmt::format("{} {}", QuantityText(table.thresholds[next].limit, table.signals[signal].unit),
                              row.trend);
    }
  } else if (next == shown) {
    row.trend = trend.kind == TrendKind::kTooLittleHistory ? "no trend yet"
                : trend.kind == TrendKind::kUnknown        ? "trend unknown"
                                                           : "no trend";
  }
}

// How far the signal can go in this very store; "" if that is not known.
std::string CeilingText(const Table& table, const StoreDecision& store, std::size_t signal) {
  const std::uint16_t ceiling = table.signals[signal].ceiling;
  const std::optional<Sample> newest = ceiling == kNoSignal ? std::nullopt : Newest(store, ceiling);
  if (!newest) return "";
  std::string text = "own ceiling about " + QuantityText(newest->value, table.signals[ceiling].unit);
  if (store.ceiling_trends.empty()) return text;
  const std::optional<Trend>& trend = store.ceiling_trends[signal];
  if (trend && trend->kind == TrendKind::kReached)
    text += " reached " + ReachedText(trend->reached_in_seconds);
  return text;
}

// Of a signal without a threshold, which is shown and not judged; nothing if its value wasn't among those given.
std::optional<SignalRowText> ShownRow(const Evaluation& evaluation, const StoreDecision& store,
                                      std::size_t signal) {
  const SignalRow& row = evaluation.table->signals[signal];
  const std::optional<Sample> newest = Newest(store, signal);
  if (!newest && evaluation.origin == Origin::kGiven) return std::nullopt;
  SignalRowText text;
  text.title = std::string(row.title);
  text.value = newest ? QuantityText(newest->value, row.unit) : "-";
  if (!newest) text.state = std::string(engine::CauseText(store.samples.signals[signal].cause));
  return text;
}

}  // namespace

std::vector<SignalRowText> SignalRows(const Evaluation& evaluation, const StoreDecision& store) {
  const Table& table = *evaluation.table;
  std::vector<SignalRowText> rows;
  for (std::size_t signal = 0; signal < table.signals.size(); ++signal) {
    const std::size_t shown = ShownThreshold(table, store, signal);
    if (shown == engine::kNoThreshold) {
      if (std::optional<SignalRowText> row = ShownRow(evaluation, store, signal))
        rows.push_back(std::move(*row));
      continue;
    }
    const ThresholdRow& threshold = table.thresholds[shown];
    const Unit unit = table.signals[signal].unit;
    const std::optional<Sample> newest = Newest(store, signal);
    const std::optional<std::int64_t> until_ms = BreachedUntil(table, store, signal);
    const ValueAndLimit texts =
        ValueAndLimitText(newest ? newest->value : threshold.limit, threshold.limit, unit);
    rows.push_back({
        .title = std::string(table.signals[signal].title),
        .value = newest ? texts.value : "-",
        .limit = fmt::format("{} {}", threshold.direction == Direction::kAbove ? "limit" : "at least",
                             texts.limit),
        .state = until_ms ? fmt::format("breached until {}", UtcText(*until_ms))
                          : StateText(evaluation, threshold, store.findings[shown]),
        .trend = "",
        .fill = newest ? Fill(threshold, newest->value) : 0,
        .worst = store.findings[shown].state,
        .breach = BreachColour(table, threshold.verdict),
    });
    std::string& state = rows.back().state;
    const std::string ceiling = CeilingText(table, store, signal);
    state += (state.empty() || ceiling.empty() ? "" : ", ") + ceiling;
    SetTrend(table, store, signal, shown, rows.back());
  }
  return rows;
}

std::string ReachedText(double seconds) {
  constexpr double kHour = 3600;
  constexpr double kDay = 24 * kHour;
  // A straight line through three days says no more exactly than this.
  if (seconds < kHour) return "within the hour";
  if (seconds < 1.5 * kDay) return fmt::format("in about {} h", std::lround(seconds / kHour));
  return fmt::format("in about {} days", std::lround(seconds / kDay));
}

std::size_t SoonestThreshold(const StoreDecision& store) {
  std::size_t soonest = engine::kNoThreshold;
  for (std::size_t index = 0; index < store.trends.size(); ++index) {
    if (store.trends[index].kind != TrendKind::kReached ||
        store.findings[index].state != State::kNotBreached) {
      continue;
    }
    if (soonest == engine::kNoThreshold ||
        store.trends[index].reached_in_seconds < store.trends[soonest].reached_in_seconds) {
      soonest = index;
    }
  }
  return soonest;
}

std::string SoonestTrend(const Table& table, const StoreDecision& store) {
  const std::size_t soonest = SoonestThreshold(store);
  if (soonest == engine::kNoThreshold) return "";
  const ThresholdRow& threshold = table.thresholds[soonest];
  const SignalRow& signal = table.signals[threshold.signal];
  return fmt::format("{} {} {}", signal.title, QuantityText(threshold.limit, signal.unit),
                     ReachedText(store.trends[soonest].reached_in_seconds));
}

}  // namespace outgrown::decision
