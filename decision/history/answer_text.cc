#include "decision/history/answer_text.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "common/digest.h"
#include "common/text.h"
#include "common/time_text.h"
#include "decision/history/strip.h"
#include "decision/report/report_parts.h"
#include "decision/report/report_text.h"
#include "decision/report/wording.h"

namespace outgrown::history {
namespace {

using decision::Colour;
using decision::Pad;
using decision::Paint;

// The strip fills the terminal up to this width, less the indent on both sides.
constexpr std::size_t kStripColumnsMax = 120;
constexpr std::size_t kTableStripColumns = 24;
// In a table on a terminal, more stores that were sufficient throughout are only counted.
constexpr std::size_t kSufficientRowsMax = 20;

decision::Labels LabelsOf(const Table& table, const decision::Identity& identity) {
  decision::Labels labels;
  for (std::size_t index = 0; index < identity.size(); ++index)
    labels.emplace_back(table.identity[index], identity[index]);
  return labels;
}

std::string Title(const Table& table, const decision::Identity& identity) {
  return decision::StoreTitle(LabelsOf(table, identity));
}

std::string PaintedLine(const Table& table, const engine::Decision& decision, const TextStyle& style) {
  decision::StoreDecision store;
  store.decision = decision;
  return Paint(LineOf(table, decision), decision::VerdictColour(table, store), style.colour);
}

std::string FromTo(std::int64_t first_ms, std::int64_t last_ms) {
  return fmt::format("{} to {}", UtcText(first_ms), UtcText(last_ms));
}

std::string TotalLines(const Backtest& backtest, const StoreTimeline& store) {
  const Table& table = *backtest.table;
  const std::vector<VerdictTotal> totals = Totals(table, backtest.grid, store);
  std::size_t width = 0;
  for (const VerdictTotal& total : totals)
    width = std::max(width, Columns(engine::VerdictText(table, total.decision)));
  std::string text;
  for (const VerdictTotal& total : totals) {
    text += fmt::format("  {}  {} in all, {} time{}, first {}, last {}\n",
                        Pad(engine::VerdictText(table, total.decision), width), LengthText(total.length_ms),
                        total.times, total.times == 1 ? "" : "s", UtcText(total.first_ms),
                        UtcText(total.last_ms));
  }
  return text;
}

std::string IntervalLines(const Backtest& backtest, const StoreTimeline& store, const TextStyle& style) {
  std::string text;
  std::size_t shown = 0;
  for (const Interval& interval : store.intervals) {
    if (shown++ == kIntervalsShownMax) {
      text += fmt::format("    and {} more; --format json gives them all\n",
                          store.intervals.size() - kIntervalsShownMax);
      break;
    }
    text +=
        fmt::format("    {}  {}{}\n", FromTo(interval.first_ms, interval.last_ms),
                    PaintedLine(*backtest.table, interval.decision, style),
                    interval.decision.outcome == engine::Outcome::kBreached && interval.decision.worse_unknown
                        ? " (a more severe threshold is unknown)"
                        : "");
  }
  return text;
}

std::string StoreInFull(const Backtest& backtest, const StoreTimeline& store, const TextStyle& style) {
  const Table& table = *backtest.table;
  std::string text = fmt::format("{}\n", Paint(Title(table, store.identity), Colour::kBold, style.colour));
  if (style.terminal) {
    const std::size_t columns = std::clamp<std::size_t>(style.columns, 14, kStripColumnsMax + 4) - 4;
    text += fmt::format("\n  {}\n  {}\n\n", Strip(table, backtest.grid, store, columns, style.colour),
                        Legend(table, style.colour));
  } else {
    text += fmt::format("  store: {}\n", decision::LabelText(LabelsOf(table, store.identity)));
  }
  return text + TotalLines(backtest, store) + IntervalLines(backtest, store, style);
}

bool AlwaysSufficient(const StoreTimeline& store) {
  return std::ranges::all_of(store.intervals, [](const Interval& interval) {
    return interval.decision.outcome == engine::Outcome::kSufficient;
  });
}

std::string StoreTable(const Backtest& backtest, const TextStyle& style) {
  const Table& table = *backtest.table;
  struct Row {
    const StoreTimeline* store;
    VerdictTotal worst;
  };
  std::vector<Row> rows;
  for (const StoreTimeline& store : backtest.stores)
    // Totals are worst first, and a store is listed only if it has an interval.
    rows.push_back({&store, Totals(table, backtest.grid, store).front()});
  std::ranges::stable_sort(rows, std::greater<>(),
                           [&](const Row& row) { return Badness(table, row.worst.decision); });
  const auto sufficient = static_cast<std::size_t>(std::ranges::count_if(backtest.stores, AlwaysSufficient));
  const bool fold = style.terminal && sufficient > kSufficientRowsMax;
  std::string text;
  if (style.terminal) text += fmt::format("  {}\n\n", Legend(table, style.colour));
  for (const Row& row : rows) {
    if (fold && AlwaysSufficient(*row.store)) continue;
    if (style.terminal)
      text += "  " + Strip(table, backtest.grid, *row.store, kTableStripColumns, style.colour) + "  ";
    text +=
        fmt::format("{}{}  {} for {} in all, first {}, last {}\n", style.terminal ? "" : "  ",
                    Title(table, row.store->identity), PaintedLine(table, row.worst.decision, style),
                    LengthText(row.worst.length_ms), UtcText(row.worst.first_ms), UtcText(row.worst.last_ms));
  }
  if (fold) text += fmt::format("  {} more: {} throughout\n", sufficient, table.sufficient);
  return text;
}

std::string Approximations(const Backtest& backtest) {
  std::string text;
  const auto add = [&](const SeriesChoice& choice) {
    if (choice.expr.empty()) return;
    text += fmt::format("  approximate: {} ({})\n", choice.title, choice.reason);
  };
  for (const SeriesChoice& choice : backtest.choices.signals) add(choice);
  add(backtest.choices.coverage);
  return text;
}

std::string SpecText(const Backtest& backtest) {
  return fmt::format("{} {}{}", backtest.table->store, ShortDigest(backtest.table->digest),
                     backtest.spec.empty() ? "" : fmt::format(" ({})", PlainText(backtest.spec)));
}

std::string SideText(const Table& table, const std::optional<engine::Decision>& decision,
                     const TextStyle& style) {
  return decision ? PaintedLine(table, *decision, style) : "no such store";
}

std::string ChangesText(const Answer& answer, const TextStyle& style) {
  const Table& table = *answer.backtest.table;
  std::string text = fmt::format(
      "\n{}\n", Paint(fmt::format("With {}", SpecText(*answer.against)), Colour::kBold, style.colour));
  text += Approximations(*answer.against);
  // Otherwise "no verdict would have differed" would be printed about nothing.
  if (!answer.backtest.answered || !answer.against->answered) {
    return text + fmt::format("  UNDETERMINED - {} answered no query\n", answer.against->server);
  }
  if (answer.changes.empty()) return text + "  no verdict would have differed\n";
  std::int64_t changed_ms = 0;
  for (const StoreChanges& store : answer.changes) {
    text += fmt::format("  {}\n", Title(table, store.identity));
    std::size_t shown = 0;
    for (const Change& change : store.changes) {
      // Of all changes, also of those that are not shown.
      changed_ms += answer.backtest.grid.LengthMs(change.first_ms, change.last_ms);
      if (shown++ == kIntervalsShownMax) {
        text += fmt::format("    and {} more; --format json gives them all\n",
                            store.changes.size() - kIntervalsShownMax);
      }
      if (shown > kIntervalsShownMax) continue;
      text += fmt::format("    {}  {} -> {}  ({})\n", FromTo(change.first_ms, change.last_ms),
                          SideText(table, change.from, style),
                          SideText(*answer.against->table, change.to, style), change.why);
    }
  }
  return text + fmt::format("  {} store{} would have had a different verdict, for {} in all\n",
                            answer.changes.size(), answer.changes.size() == 1 ? "" : "s",
                            LengthText(changed_ms));
}

std::string OneAnswer(const Answer& answer, const TextStyle& style) {
  const Backtest& backtest = answer.backtest;
  std::string text = fmt::format(
      "{}, {}, every {}\n", Paint(fmt::format("Spec {}", SpecText(backtest)), Colour::kBold, style.colour),
      FromTo(backtest.grid.from_ms, backtest.grid.to_ms), LengthText(backtest.grid.step_ms));
  text += Approximations(backtest);
  if (!backtest.answered) {
    text += fmt::format("  UNDETERMINED - {} answered no query\n", backtest.server);
  } else if (backtest.stores.empty()) {
    text += fmt::format("  no store found: {} shows none in this time\n", backtest.table->present);
  } else if (backtest.stores.size() > decision::kStoresInFullMax) {
    text += "\n" + StoreTable(backtest, style);
  } else {
    for (const StoreTimeline& store : backtest.stores) text += "\n" + StoreInFull(backtest, store, style);
  }
  if (answer.against) text += ChangesText(answer, style);
  return text;
}

}  // namespace

std::string TextAnswer(std::span<const Answer> answers, const TextStyle& style) {
  std::string text;
  for (const Answer& answer : answers) text += (text.empty() ? "" : "\n") + OneAnswer(answer, style);
  return text;
}

}  // namespace outgrown::history
