#include "decision/history/strip.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "decision/report/report_parts.h"

namespace outgrown::history {
namespace {

using engine::Decision;
using engine::Outcome;

// From the mildest verdict's to the most severe one's.
std::string_view Block(const Table& table, const Decision& decision) {
  constexpr std::array<std::string_view, 6> kBlocks = {"▃", "▄", "▅", "▆", "▇", "█"};
  switch (decision.outcome) {
    case Outcome::kSufficient:
      return "▁";
    case Outcome::kUndetermined:
      return "?";
    case Outcome::kBreached:
      break;
  }
  const std::size_t below = table.verdicts.size() - 1 - decision.verdict;  // verdicts that are more severe
  // Two steps a verdict, so that neighbours differ visibly; with more than three verdicts the mildest share a
  // block.
  return kBlocks[kBlocks.size() - 1 - std::min(2 * below, kBlocks.size() - 1)];
}

decision::Colour ColourOf(const Table& table, const Decision& decision) {
  decision::StoreDecision store;
  store.decision = decision;
  return decision::VerdictColour(table, store);
}

bool SameColour(const Table& table, const Decision* a, const Decision* b) {
  if (a == nullptr || b == nullptr) return a == b;
  return ColourOf(table, *a) == ColourOf(table, *b);
}

std::string Painted(const Table& table, const Decision& decision, bool colour) {
  return decision::Paint(Block(table, decision), ColourOf(table, decision), colour);
}

}  // namespace

std::string Strip(const Table& table, const Grid& grid, const StoreTimeline& timeline, std::size_t columns,
                  bool colour) {
  std::vector<const Decision*> worst(columns, nullptr);
  // In whole numbers, so that rounding cannot move an instant into its neighbour's column.
  const auto column_of = [&](std::int64_t time_ms) {
    const std::int64_t instant = (time_ms - grid.from_ms) / grid.step_ms;
    return static_cast<std::size_t>(instant * static_cast<std::int64_t>(columns) / grid.count());
  };
  for (const Interval& interval : timeline.intervals) {
    // With fewer instants than columns, an instant's block reaches to the next one.
    const std::size_t end =
        std::max(column_of(interval.first_ms) + 1, column_of(interval.last_ms + grid.step_ms));
    for (std::size_t column = column_of(interval.first_ms); column < std::min(end, columns); ++column) {
      const Decision*& shown = worst[column];
      // A column shows the worst of its share, so that a short breach in a long period is visible.
      if (shown == nullptr || Badness(table, *shown) < Badness(table, interval.decision))
        shown = &interval.decision;
    }
  }
  std::string text;
  for (std::size_t column = 0; column < columns;) {
    const std::size_t begin = column;
    std::string run;  // of one colour
    // One escape sequence for a run of one colour, instead of one for each column.
    for (; column < columns && SameColour(table, worst[begin], worst[column]); ++column) {
      run += worst[column] == nullptr ? " " : Block(table, *worst[column]);
    }
    text += worst[begin] == nullptr ? run : decision::Paint(run, ColourOf(table, *worst[begin]), colour);
  }
  return text;
}

std::string Legend(const Table& table, bool colour) {
  std::vector<std::string> parts;
  for (std::size_t verdict = table.verdicts.size(); verdict-- > 0;) {
    const Decision decision{.outcome = Outcome::kBreached, .verdict = verdict};
    parts.push_back(fmt::format("{} {}", Painted(table, decision, colour), table.verdicts[verdict].text));
  }
  const Decision sufficient{.outcome = Outcome::kSufficient};
  parts.push_back(fmt::format("{} {}", Painted(table, sufficient, colour), table.sufficient));
  parts.push_back(fmt::format("{} UNDETERMINED", Painted(table, Decision{}, colour)));
  return fmt::format("{}", fmt::join(parts, "  "));
}

}  // namespace outgrown::history
