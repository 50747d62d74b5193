#include "decision/store_table.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/digest.h"
#include "common/text.h"
#include "common/time_text.h"
#include "decision/signal_rows.h"
#include "decision/wording.h"

namespace outgrown::report {
namespace {

using evaluate::StoreDecision;

// On a terminal, of more sufficient stores than this only those are shown that reach a limit first.
constexpr std::size_t kSufficientRowsMax = 20;
constexpr std::size_t kSoonestRowsMax = 5;
// What a row must have room for beside verdict and name, else it continues on the next line.
constexpr std::size_t kReasonColumnsMin = 24;
constexpr std::size_t kNameColumnsMin = 16;

// "10000 stores: 1 MIGRATE NOW, 3 UNDETERMINED, 9996 SQLite sufficient"
std::string Summary(const evaluate::Evaluation& evaluation, const std::vector<const StoreDecision*>& stores) {
  std::vector<std::string> parts;
  std::map<std::string_view, std::size_t> counts;
  for (const StoreDecision* store : stores) ++counts[decide::VerdictText(*evaluation.table, store->decision)];
  for (const StoreDecision* store : stores) {
    const std::string_view verdict = decide::VerdictText(*evaluation.table, store->decision);
    if (const auto found = counts.find(verdict); found != counts.end()) {
      parts.push_back(fmt::format("{} {}", found->second, verdict));
      counts.erase(found);
    }
  }
  return fmt::format("{} stores: {}", stores.size(), fmt::join(parts, ", "));
}

std::string PlainRows(const Table& table, const std::vector<const StoreDecision*>& stores) {
  std::size_t width = 0;
  for (const StoreDecision* store : stores)
    width = std::max(width, Columns(evaluate::VerdictLine(table, *store)));
  std::string text;
  for (const StoreDecision* store : stores) {
    const std::size_t also = evaluate::AlsoLines(table, *store).size();
    const std::string silence = evaluate::SilenceText(*store);
    text += fmt::format("  {}  {}{}{}\n", Pad(evaluate::VerdictLine(table, *store), width),
                        StoreTitle(*store), also == 0 ? "" : fmt::format("  (also {} more)", also),
                        silence.empty() ? "" : fmt::format("  ({})", silence));
    for (const std::string& alert : AlertLines(table, *store)) text += fmt::format("    {}\n", alert);
  }
  return text;
}

// What stands beside a store's verdict: why, or for a sufficient one which limit comes next.
std::string Reason(const Table& table, const StoreDecision& store) {
  if (store.decision.outcome == decide::Outcome::kSufficient) return SoonestTrend(table, store);
  const std::string line = evaluate::VerdictLine(table, store);
  const std::string_view verdict = decide::VerdictText(table, store.decision);
  std::string reason = line.substr(std::min(line.size(), verdict.size() + 3));  // past " - "
  if (const std::size_t also = evaluate::AlsoLines(table, store).size(); also > 0)
    reason += fmt::format(", and {} more", also);
  if (const std::string silence = evaluate::SilenceText(store); !silence.empty()) reason += ", " + silence;
  return reason;
}

std::string TerminalRows(const Table& table, const std::vector<const StoreDecision*>& stores,
                         const TextStyle& style) {
  std::size_t verdicts = 0;
  std::size_t names = 0;
  for (const StoreDecision* store : stores) {
    verdicts = std::max(verdicts, Columns(decide::VerdictText(table, store->decision)));
    names = std::max(names, Columns(StoreTitle(*store)));
  }
  const std::size_t left = style.columns > verdicts + 4 ? style.columns - verdicts - 4 : 0;
  // Names take half of what is left at most, all of it where the reason has to go below anyway.
  const bool below = left < kNameColumnsMin + kReasonColumnsMin + 2;
  names = std::min(names, below ? left : std::min(left / 2, left - kReasonColumnsMin - 2));
  const std::size_t reasons = below ? left : left - names - 2;
  const std::size_t margin = verdicts + 4 + (below ? 0 : names + 2);
  std::string text;
  for (const StoreDecision* store : stores) {
    const std::string verdict = Pad(decide::VerdictText(table, store->decision), verdicts);
    std::string line = fmt::format("  {}  {}", Paint(verdict, VerdictColour(table, *store), style.colour),
                                   Pad(Shorten(StoreTitle(*store), names), names));
    const bool sufficient = store->decision.outcome == decide::Outcome::kSufficient;
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

// Takes all sufficient stores out of `stores`, which end with them, but those that reach a limit first. How many it took.
std::size_t FoldSufficient(std::vector<const StoreDecision*>& stores) {
  const auto first = std::ranges::find_if(stores, [](const StoreDecision* store) {
    return store->decision.outcome == decide::Outcome::kSufficient;
  });
  if (stores.end() - first <= static_cast<std::ptrdiff_t>(kSufficientRowsMax)) return 0;
  const auto none = std::stable_partition(first, stores.end(), [](const StoreDecision* store) {
    return SoonestThreshold(*store) != decide::kNoThreshold;
  });
  std::ranges::stable_sort(first, none, {}, [](const StoreDecision* store) {
    return store->trends[SoonestThreshold(*store)].reached_in_seconds;
  });
  const auto keep = first + std::min<std::ptrdiff_t>(none - first, kSoonestRowsMax);
  const auto folded = static_cast<std::size_t>(stores.end() - keep);
  stores.erase(keep, stores.end());
  return folded;
}

}  // namespace

std::string StoreTable(const evaluate::Evaluation& evaluation,
                       const std::vector<const StoreDecision*>& stores, const TextStyle& style) {
  const Table& table = *evaluation.table;
  std::vector<const StoreDecision*> shown = stores;
  const std::size_t folded = style.terminal ? FoldSufficient(shown) : 0;
  std::string text = TitleLine(table.title, evaluation.time_ms, style) + '\n';
  text += style.terminal ? TerminalRows(table, shown, style) : PlainRows(table, shown);
  if (folded > 0)
    text += Indented(fmt::format("{} more: {}", folded, table.sufficient), Colour::kGreen, style);
  text += '\n' + Indented(Summary(evaluation, stores), Colour::kBold, style);
  const auto [first, last] = std::ranges::minmax(stores, {}, &StoreDecision::logged_as);
  std::string footer = fmt::format("spec {} {}", table.store, ShortDigest(table.digest));
  if (first->logged_as) footer += fmt::format(", logged as #{} to #{}", *first->logged_as, *last->logged_as);
  return text + Indented(footer, Colour::kDim, style);
}

}  // namespace outgrown::report
