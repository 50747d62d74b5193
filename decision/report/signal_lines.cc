#include "decision/report/signal_lines.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/text.h"
#include "decision/report/signal_rows.h"

namespace outgrown::decision {
namespace {

using engine::State;

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

std::string SignalLines(const Evaluation& evaluation, const StoreDecision& store, const TextStyle& style) {
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
