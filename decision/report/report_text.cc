#include "decision/report/report_text.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/digest.h"
#include "common/text.h"
#include "common/time_text.h"
#include "decision/report/report_parts.h"
#include "decision/report/signal_lines.h"
#include "decision/report/signal_rows.h"
#include "decision/report/wording.h"

namespace outgrown::decision {
namespace {

using decision::StoreDecision;

std::vector<const StoreDecision*> WorstFirst(const decision::Evaluation& evaluation) {
  std::vector<const StoreDecision*> stores;
  for (const StoreDecision& store : evaluation.stores) stores.push_back(&store);
  // Stable: equally bad stores stay in the order of their identities.
  std::ranges::stable_sort(stores, std::greater<>(), [&](const StoreDecision* store) {
    return decision::Badness(*evaluation.table, *store);
  });
  return stores;
}

std::string StoreInFull(const decision::Evaluation& evaluation, const StoreDecision& store,
                        const TextStyle& style) {
  const Table& table = *evaluation.table;
  std::string text;
  const std::string verdict = decision::VerdictLine(table, store);
  if (style.terminal) {
    text += TitleLine(decision::StoreTitle(store.labels), evaluation.time_ms, style) + '\n';
    text += Indented(verdict, VerdictColour(table, store), style);
  } else {
    // The first line of a store, without indentation, for scripts that read `VERDICT - justification`.
    text += verdict + '\n';
  }
  if (const std::string breached = decision::BreachTimesText(store); !breached.empty())
    text += Indented("breached " + breached, Colour::kNone, style);
  if (const std::string silence = decision::SilenceText(store); !silence.empty())
    text += Indented(silence, Colour::kNone, style);
  if (const std::string split = decision::SplitText(store); !split.empty())
    text += Indented(split, Colour::kNone, style);
  if (const std::string_view advice = decision::Advice(table, store); !advice.empty())
    text += Indented(fmt::format("advice: {}", advice), Colour::kNone, style);
  for (const std::string& also : decision::AlsoLines(table, store))
    text += Indented("also: " + also, Colour::kNone, style);
  for (const std::string& unknown : decision::UnknownLines(table, store))
    text += Indented("unknown: " + unknown, Colour::kNone, style);
  for (const std::string& stopped : decision::StoppedLines(store))
    text += Indented(stopped, Colour::kNone, style);
  if (style.terminal) {
    text += '\n';
  } else if (!store.labels.empty()) {
    text += fmt::format("  store: {}\n", LabelText(store.labels));
  }
  text += SignalLines(evaluation, store, style);
  if (style.terminal) text += '\n';
  for (const std::string& line : AlertLines(table, store)) text += Indented(line, Colour::kNone, style);
  std::string footer = Footer(evaluation, store, style.terminal ? " · " : ", ");
  if (!style.terminal) footer += fmt::format(", decided for {}", UtcText(evaluation.time_ms));
  return text + Indented(footer, Colour::kDim, style);
}

// On a terminal, of more sufficient stores than this only those are shown that reach a limit first.
constexpr std::size_t kSufficientRowsMax = 20;
constexpr std::size_t kSoonestRowsMax = 5;
// The least width of the reason beside verdict and name; with less it goes to the next line.
constexpr std::size_t kReasonColumnsMin = 24;
constexpr std::size_t kNameColumnsMin = 16;

// "10000 stores: 1 MIGRATE NOW, 3 UNDETERMINED, 9996 SQLite sufficient"
// In the order of the table, worst first, hence the walk over the stores and not over the map.
std::string Summary(const decision::Evaluation& evaluation, const std::vector<const StoreDecision*>& stores) {
  std::vector<std::string> parts;
  std::map<std::string, std::size_t> counts;
  for (const StoreDecision* store : stores) ++counts[decision::VerdictShort(*evaluation.table, *store)];
  for (const StoreDecision* store : stores) {
    const std::string verdict = decision::VerdictShort(*evaluation.table, *store);
    if (const auto found = counts.find(verdict); found != counts.end()) {
      parts.push_back(fmt::format("{} {}", found->second, verdict));
      counts.erase(found);
    }
  }
  return fmt::format("{} stores: {}", stores.size(), fmt::join(parts, ", "));
}

// For scripts: one line a store, never wrapped or cut.
std::string PlainRows(const Table& table, const std::vector<const StoreDecision*>& stores) {
  std::size_t width = 0;
  for (const StoreDecision* store : stores)
    width = std::max(width, Columns(decision::VerdictLine(table, *store)));
  std::string text;
  for (const StoreDecision* store : stores) {
    const std::size_t also = decision::AlsoLines(table, *store).size();
    text += fmt::format("  {}  {}", Pad(decision::VerdictLine(table, *store), width),
                        decision::StoreTitle(store->labels));
    if (also > 0) text += fmt::format("  (also {} more)", also);
    for (const std::string& beside : {decision::SplitText(*store), decision::SilenceText(*store)})
      if (!beside.empty()) text += fmt::format("  ({})", beside);
    text += '\n';
    for (const std::string& alert : AlertLines(table, *store)) text += fmt::format("    {}\n", alert);
  }
  return text;
}

// The text beside a store's verdict: why, or for a sufficient one which limit is reached next.
std::string Reason(const Table& table, const StoreDecision& store) {
  const std::string line = decision::VerdictLine(table, store);
  const std::string_view verdict = engine::VerdictText(table, store.decision);
  if (line == verdict) return SoonestTrend(table, store);
  std::string reason = line.substr(std::min(line.size(), verdict.size() + 3));  // past " - "
  if (const std::size_t also = decision::AlsoLines(table, store).size(); also > 0)
    reason += fmt::format(", and {} more", also);
  for (const std::string& beside : {decision::SplitText(store), decision::SilenceText(store)})
    if (!beside.empty()) reason += ", " + beside;
  return reason;
}

std::string TerminalRows(const Table& table, const std::vector<const StoreDecision*>& stores,
                         const TextStyle& style) {
  std::size_t verdicts = 0;
  std::size_t names = 0;
  for (const StoreDecision* store : stores) {
    verdicts = std::max(verdicts, Columns(decision::VerdictShort(table, *store)));
    names = std::max(names, Columns(decision::StoreTitle(store->labels)));
  }
  const std::size_t left = style.columns > verdicts + 4 ? style.columns - verdicts - 4 : 0;
  // Names take at most half of the rest, or all of it where the reason goes to the next line anyway.
  const bool below = left < kNameColumnsMin + kReasonColumnsMin + 2;
  names = std::min(names, below ? left : std::min(left / 2, left - kReasonColumnsMin - 2));
  const std::size_t reasons = below ? left : left - names - 2;
  const std::size_t margin = verdicts + 4 + (below ? 0 : names + 2);
  std::string text;
  for (const StoreDecision* store : stores) {
    const std::string verdict = Pad(decision::VerdictShort(table, *store), verdicts);
    std::string line = fmt::format("  {}  {}", Paint(verdict, VerdictColour(table, *store), style.colour),
                                   Pad(Shorten(decision::StoreTitle(store->labels), names), names));
    const bool sufficient = store->decision.outcome == engine::Outcome::kSufficient;
    if (const std::string reason = Reason(table, *store); !reason.empty()) {
      line += below ? '\n' + std::string(margin, ' ') : "  ";
      line += Block(reason, std::max<std::size_t>(reasons, 20), margin,
                    sufficient ? Colour::kDim : Colour::kNone, style);
    }
    text += Line(std::move(line));
    for (const std::string& alert : AlertLines(table, *store)) {
      text += std::string(verdicts + 4, ' ') +
              Block(alert, std::max<std::size_t>(left, 20), verdicts + 4, Colour::kNone, style) + '\n';
    }
  }
  return text;
}

// Removes the plainly sufficient stores from the end of `stores`, except those that reach a limit first.
// Returns how many.
std::size_t FoldSufficient(const Table& table, std::vector<const StoreDecision*>& stores) {
  const auto first = std::ranges::find_if(
      stores, [&](const StoreDecision* store) { return decision::Badness(table, *store) == 0; });
  if (stores.end() - first <= static_cast<std::ptrdiff_t>(kSufficientRowsMax)) return 0;
  // Those that move towards a limit, soonest first, are what is worth a look among sufficient stores.
  const auto none = std::stable_partition(first, stores.end(), [](const StoreDecision* store) {
    return SoonestThreshold(*store) != engine::kNoThreshold;
  });
  std::ranges::stable_sort(first, none, {}, [](const StoreDecision* store) {
    return store->trends[SoonestThreshold(*store)].reached_in_seconds;
  });
  const auto keep = first + std::min<std::ptrdiff_t>(none - first, kSoonestRowsMax);
  const auto folded = static_cast<std::size_t>(stores.end() - keep);
  stores.erase(keep, stores.end());
  return folded;
}

// Many stores, which are given worst first. Without a terminal each row begins with exactly `VERDICT -
// justification`; on one it fits the width, and sufficient stores beyond a screenful are only counted.
std::string StoreTable(const decision::Evaluation& evaluation,
                       const std::vector<const StoreDecision*>& stores, const TextStyle& style) {
  const Table& table = *evaluation.table;
  std::vector<const StoreDecision*> shown = stores;
  const std::size_t folded = style.terminal ? FoldSufficient(table, shown) : 0;
  std::string text = TitleLine(table.title, evaluation.time_ms, style) + '\n';
  text += style.terminal ? TerminalRows(table, shown, style) : PlainRows(table, shown);
  if (folded > 0)
    text += Indented(fmt::format("{} more: {}", folded, table.sufficient), Colour::kGreen, style);
  text += '\n' + Indented(Summary(evaluation, stores), Colour::kBold, style);
  // Records are numbered by identity, the table is worst first.
  const auto [first, last] = std::ranges::minmax(stores, {}, &StoreDecision::logged_as);
  std::string footer = fmt::format("spec {} {}", table.store, ShortDigest(table.digest));
  if (first->logged_as) footer += fmt::format(", logged as #{} to #{}", *first->logged_as, *last->logged_as);
  return text + Indented(footer, Colour::kDim, style);
}

}  // namespace

std::string TextReport(std::span<const decision::Evaluation> evaluations, const TextStyle& style) {
  const bool any_store = std::ranges::any_of(
      evaluations, [](const decision::Evaluation& evaluation) { return !evaluation.stores.empty(); });
  std::string text;
  for (const decision::Evaluation& evaluation : evaluations) {
    if (!text.empty()) text += '\n';
    const std::vector<const StoreDecision*> stores = WorstFirst(evaluation);
    const bool certainly_none = evaluation.fleet.answered && !evaluation.fleet.without_identity &&
                                decision::PresenceProblem(evaluation.fleet) == nullptr;
    if (stores.empty() && any_store && certainly_none) {
      // No store here uses this spec, while other specs have stores: nothing is undetermined.
      text += fmt::format("{}No store of the spec {}: {}.\n", style.terminal ? "  " : "",
                          evaluation.table->store, decision::NoneShownText(evaluation));
    } else if (stores.empty()) {
      text += fmt::format("{}{}\n", style.terminal ? "  " : "",
                          Paint(decision::NoStoreLine(evaluation), Colour::kMagenta, style.colour));
    } else if (stores.size() > kStoresInFullMax) {
      text += StoreTable(evaluation, stores, style);
    } else {
      for (const StoreDecision* store : stores) {
        if (store != stores.front()) text += '\n';
        text += StoreInFull(evaluation, *store, style);
      }
    }
  }
  return text;
}

}  // namespace outgrown::decision
