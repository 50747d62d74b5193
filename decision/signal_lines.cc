#include "decision/signal_lines.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/text.h"
#include "common/time_text.h"
#include "decision/quantity.h"
#include "decision/wording.h"

namespace outgrown::decision {
namespace {

using engine::Finding;
using engine::State;

// One signal's part of the answer.
struct SignalRowText {
  std::string title;  // "Write errors"
  std::string value;  // "2.31 %", "-" if it is not known
  std::string limit;  // "limit 1 %"; "" if the signal has no threshold, and then there is no bar
  std::string state;  // "breached for 12 min", "writes go uncounted", ""
  std::string trend;  // "100 in about 4 days", "in about 41 days", "no trend", "" if it was not asked for
  bool trend_reached = false;
  double fill = 0;  // the value's share of its limit: 1 at the limit; 0 if it is not known
  engine::State worst = engine::State::kNotBreached;  // of the signal's thresholds
  Colour breach = Colour::kNone;                      // of the shown threshold's verdict
};

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
std::size_t ShownThreshold(const Table& table, const decision::StoreDecision& store, std::size_t signal) {
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
std::optional<std::int64_t> BreachedUntil(const Table& table, const decision::StoreDecision& store,
                                          std::size_t signal) {
  std::optional<std::int64_t> until_ms;
  if (!store.period) return until_ms;
  for (std::size_t index = 0; index < table.thresholds.size(); ++index) {
    const decision::ThresholdPeriod& threshold = store.period->thresholds[index];
    if (table.thresholds[index].signal != signal || threshold.breached_evaluations == 0) continue;
    if (store.findings[index].state == State::kBreached) return std::nullopt;
    until_ms = std::max(until_ms.value_or(threshold.breached_last_ms), threshold.breached_last_ms);
  }
  return until_ms;
}

std::string StateText(const decision::Evaluation& evaluation, const ThresholdRow& threshold,
                      const Finding& finding) {
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
  if (evaluation.origin == decision::Origin::kGiven || threshold.hold_ms == 0) return "breached";
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
std::size_t NextThreshold(const Table& table, const decision::StoreDecision& store, std::size_t signal) {
  std::size_t next = engine::kNoThreshold;
  for (std::size_t index = 0; index < table.thresholds.size(); ++index) {
    const ThresholdRow& threshold = table.thresholds[index];
    if (threshold.signal != signal || store.findings[index].state != State::kNotBreached) continue;
    if (next == engine::kNoThreshold || Nearer(threshold, table.thresholds[next])) next = index;
  }
  return next;
}

// Fills the row's trend: of the limit that is shown, or of the next one where the shown one is breached.
void SetTrend(const Table& table, const decision::StoreDecision& store, std::size_t signal, std::size_t shown,
              SignalRowText& row) {
  if (store.trends.empty()) return;
  const std::size_t next = NextThreshold(table, store, signal);
  if (next == engine::kNoThreshold) return;
  const decision::Trend& trend = store.trends[next];
  row.trend_reached = trend.kind == decision::TrendKind::kReached;
  if (row.trend_reached) {
    row.trend = ReachedText(trend.reached_in_seconds);
    if (next != shown) {
      row.trend = fmt::format("{} {}", QuantityText(table.thresholds[next].limit, table.signals[signal].unit),
                              row.trend);
    }
  } else if (next == shown) {
    row.trend = trend.kind == decision::TrendKind::kTooLittleHistory ? "no trend yet"
                : trend.kind == decision::TrendKind::kUnknown        ? "trend unknown"
                                                                     : "no trend";
  }
}

// How far the signal can go in this very store; "" if that is not known.
std::string CeilingText(const Table& table, const decision::StoreDecision& store, std::size_t signal) {
  const std::uint16_t ceiling = table.signals[signal].ceiling;
  const std::optional<Sample> newest = ceiling == kNoSignal ? std::nullopt : decision::Newest(store, ceiling);
  if (!newest) return "";
  return "own ceiling about " + QuantityText(newest->value, table.signals[ceiling].unit);
}

// Of a signal without a threshold, which is shown and not judged; nothing if its value wasn't among those given.
std::optional<SignalRowText> ShownRow(const decision::Evaluation& evaluation,
                                      const decision::StoreDecision& store, std::size_t signal) {
  const SignalRow& row = evaluation.table->signals[signal];
  const std::optional<Sample> newest = decision::Newest(store, signal);
  if (!newest && evaluation.origin == decision::Origin::kGiven) return std::nullopt;
  SignalRowText text;
  text.title = std::string(row.title);
  text.value = newest ? QuantityText(newest->value, row.unit) : "-";
  if (!newest) text.state = std::string(engine::CauseText(store.samples.signals[signal].cause));
  return text;
}

// A row for each signal, in table order.
std::vector<SignalRowText> SignalRows(const decision::Evaluation& evaluation,
                                      const decision::StoreDecision& store) {
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
    const std::optional<Sample> newest = decision::Newest(store, signal);
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

// A bar's columns: the limit is drawn two before its end, so that a value beyond it is visible.
// With the full length one column is 5 % of the limit.
constexpr std::size_t kBarColumns = 22;
constexpr std::size_t kBarColumnsFair = 12;
constexpr std::size_t kBarColumnsMin = 6;
constexpr std::size_t kBarBeyond = 2;
constexpr std::size_t kSeparatorColumns = 3;  // " · "

Colour RowColour(const SignalRowText& row) {
  switch (row.worst) {
    case State::kBreached:
      return row.breach;
    case State::kUnknown:
      return Colour::kMagenta;
    case State::kPending:
      return Colour::kYellow;
    case State::kNotBreached:
      return Colour::kGreen;
  }
  return Colour::kNone;
}

// The width of each column.
struct Widths {
  std::size_t title = 0;
  std::size_t value = 0;
  std::size_t limit = 0;
  std::size_t bar = 0;   // 0: no bar
  std::size_t note = 0;  // 0: the notes are printed below their rows
};

std::size_t NoteColumns(const SignalRowText& row) {
  const std::size_t both = Columns(row.state) + Columns(row.trend);
  return row.state.empty() || row.trend.empty() ? both : both + kSeparatorColumns;
}

// The note goes beside its bar on one line if that leaves the bar a fair length, else on two lines, else below.
void FitBar(std::size_t left, std::size_t whole_note, std::size_t longest_part, Widths& widths) {
  for (const auto& [note, bar_min] :
       {std::pair(whole_note, kBarColumnsFair), std::pair(longest_part, kBarColumnsMin)}) {
    const std::size_t taken = note == 0 ? 0 : note + 2;
    if (left < taken + bar_min) continue;
    widths.note = std::max<std::size_t>(note, 1);
    widths.bar = std::min(left - taken, kBarColumns);
    return;
  }
  widths.bar = left < kBarColumnsMin ? 0 : std::min(left, kBarColumns);
}

Widths WidthsOf(const std::vector<SignalRowText>& rows, const TextStyle& style) {
  Widths widths;
  std::size_t whole_note = 0;
  std::size_t longest_part = 0;
  for (const SignalRowText& row : rows) {
    widths.title = std::max(widths.title, Columns(row.title));
    widths.value = std::max(widths.value, Columns(row.value));
    widths.limit = std::max(widths.limit, Columns(row.limit));
    whole_note = std::max(whole_note, NoteColumns(row));
    longest_part = std::max({longest_part, Columns(row.state), Columns(row.trend)});
  }
  if (!style.terminal) {
    widths.note = std::max<std::size_t>(whole_note, 1);
    return widths;
  }
  const std::size_t fixed = 8 + widths.title + widths.value + widths.limit;  // two spaces before each column
  FitBar(style.columns > fixed ? style.columns - fixed : 0, whole_note, longest_part, widths);
  return widths;
}

// The bar in its colour, what is left up to the limit as a faint track.
std::string PaintedBar(const SignalRowText& row, std::size_t columns, Colour colour, const TextStyle& style) {
  if (row.limit.empty()) return std::string(columns, ' ');
  const std::size_t limit_at = columns - kBarBeyond;
  std::string bar = Bar(row.fill, limit_at, columns);
  bar.erase(bar.find_last_not_of(' ') + 1);
  const std::size_t filled = Columns(bar);
  std::string track;
  for (std::size_t column = filled; column < limit_at; ++column) track += "·";
  const std::size_t drawn = std::max(filled, limit_at);
  return Paint(bar, colour, style.colour && !bar.empty()) +
         Paint(track, Colour::kDim, style.colour && !track.empty()) + std::string(columns - drawn, ' ');
}

// State and trend, on one line or, where the column is too narrow for both, on two.
std::string PaintedNote(const SignalRowText& row, std::size_t columns, std::size_t margin, Colour colour,
                        const TextStyle& style) {
  const Colour state_colour = row.worst == State::kNotBreached ? Colour::kNone : colour;
  std::string note = row.state.empty() ? "" : Paint(row.state, state_colour, style.colour);
  if (row.trend.empty()) return note;
  if (!note.empty()) {
    note += NoteColumns(row) > columns ? "\n" + std::string(margin, ' ') : style.terminal ? " · " : ", ";
  }
  return note + Paint(row.trend, row.trend_reached ? Colour::kNone : Colour::kDim, style.colour);
}

}  // namespace

std::string ReachedText(double seconds) {
  constexpr double kHour = 3600;
  constexpr double kDay = 24 * kHour;
  // A straight line through three days says no more exactly than this.
  if (seconds < kHour) return "within the hour";
  if (seconds < 1.5 * kDay) return fmt::format("in about {} h", std::lround(seconds / kHour));
  return fmt::format("in about {} days", std::lround(seconds / kDay));
}

std::size_t SoonestThreshold(const decision::StoreDecision& store) {
  std::size_t soonest = engine::kNoThreshold;
  for (std::size_t index = 0; index < store.trends.size(); ++index) {
    if (store.trends[index].kind != decision::TrendKind::kReached ||
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

std::string SoonestTrend(const Table& table, const decision::StoreDecision& store) {
  const std::size_t soonest = SoonestThreshold(store);
  if (soonest == engine::kNoThreshold) return "";
  const ThresholdRow& threshold = table.thresholds[soonest];
  const SignalRow& signal = table.signals[threshold.signal];
  return fmt::format("{} {} {}", signal.title, QuantityText(threshold.limit, signal.unit),
                     ReachedText(store.trends[soonest].reached_in_seconds));
}

std::string Bar(double fill, std::size_t limit_at, std::size_t columns) {
  constexpr std::array<std::string_view, 8> kEighths = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const double wanted = fill * static_cast<double>(limit_at);
  const bool beyond = wanted > static_cast<double>(columns);
  // Unicode's block elements divide a column into eighths.
  const auto eighths = static_cast<std::size_t>(
      std::lround(8 * std::min(wanted, static_cast<double>(beyond ? columns - 1 : columns))));
  std::string bar;
  for (std::size_t column = 0; column < eighths / 8; ++column) bar += "█";
  bar += kEighths[eighths % 8];
  if (beyond) bar += "▶";
  return Pad(bar, columns);
}

std::string SignalLines(const decision::Evaluation& evaluation, const decision::StoreDecision& store,
                        const TextStyle& style) {
  const std::vector<SignalRowText> rows = SignalRows(evaluation, store);
  const Widths widths = WidthsOf(rows, style);
  std::string text;
  for (const SignalRowText& row : rows) {
    const Colour colour = RowColour(row);
    std::string line = fmt::format("  {}  {}  ", Pad(row.title, widths.title), Pad(row.value, widths.value));
    if (widths.bar > 0) line += PaintedBar(row, widths.bar, colour, style) + "  ";
    line += Pad(row.limit, widths.limit);
    const bool below = widths.note == 0;
    const std::size_t margin = 2 + widths.title + 2 + (below ? 0 : widths.value + 2 + widths.limit + 2) +
                               (below || widths.bar == 0 ? 0 : widths.bar + 2);
    const std::string note = PaintedNote(
        row, below ? style.columns - std::min(style.columns, margin) : widths.note, margin, colour, style);
    // An extra line is printed only for a state or for a limit that will be reached.
    const bool silent = note.empty() || (below && row.state.empty() && !row.trend_reached);
    if (!silent) line += (below ? "\n" + std::string(margin, ' ') : "  ") + note;
    text += Line(std::move(line));
  }
  return text;
}

}  // namespace outgrown::decision
