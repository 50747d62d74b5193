#include "rulegen/report/report_text.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/digest.h"
#include "common/text.h"
#include "common/time_text.h"
#include "rulegen/evaluate/wording.h"
#include "rulegen/report/report_parts.h"

namespace outgrown::report {
namespace {

// A bar's columns: the limit stands at the twentieth, two more show that it goes on.
constexpr std::size_t kLimitColumn = 20;
constexpr std::size_t kBarColumns = 22;
// In a table on a terminal, more sufficient stores than this are only counted.
constexpr std::size_t kSufficientRowsMax = 20;

std::vector<const evaluate::StoreDecision*> WorstFirst(const evaluate::Evaluation& evaluation) {
  std::vector<const evaluate::StoreDecision*> stores;
  for (const evaluate::StoreDecision& store : evaluation.stores) stores.push_back(&store);
  std::ranges::stable_sort(stores, std::greater<>(), [&](const evaluate::StoreDecision* store) {
    return evaluate::Badness(*evaluation.table, *store);
  });
  return stores;
}

Colour RowColour(const SignalRowText& row, Colour verdict) {
  switch (row.worst) {
    case decide::State::kBreached:
      return verdict;
    case decide::State::kUnknown:
      return Colour::kMagenta;
    case decide::State::kPending:
      return Colour::kYellow;
    case decide::State::kNotBreached:
      return Colour::kGreen;
  }
  return Colour::kNone;
}

std::string SignalLines(const evaluate::Evaluation& evaluation, const evaluate::StoreDecision& store,
                        const TextStyle& style) {
  const std::vector<SignalRowText> rows = SignalRows(evaluation, store);
  std::size_t title = 0;
  std::size_t value = 0;
  std::size_t limit = 0;
  for (const SignalRowText& row : rows) {
    title = std::max(title, Columns(row.title));
    value = std::max(value, Columns(row.value));
    limit = std::max(limit, Columns(row.limit));
  }
  const Colour verdict = VerdictColour(*evaluation.table, store);
  std::string text;
  for (const SignalRowText& row : rows) {
    const Colour colour = RowColour(row, verdict);
    std::string line = fmt::format("  {}  {}  ", Pad(row.title, title), Pad(row.value, value));
    if (style.terminal) line += Paint(Bar(row.fill, kLimitColumn, kBarColumns), colour, style.colour) + "  ";
    line += Pad(row.limit, limit) + "  ";
    line += Paint(row.state, row.worst == decide::State::kNotBreached ? Colour::kNone : colour, style.colour);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

std::string StoreInFull(const evaluate::Evaluation& evaluation, const evaluate::StoreDecision& store,
                        const TextStyle& style) {
  const Table& table = *evaluation.table;
  std::string text;
  const std::string verdict =
      Paint(evaluate::VerdictLine(table, store), VerdictColour(table, store), style.colour);
  if (style.terminal) {
    text += fmt::format("{}  {}\n\n  {}\n", Paint(StoreTitle(store), Colour::kBold, style.colour),
                        Paint(UtcText(evaluation.time_ms), Colour::kDim, style.colour), verdict);
  } else {
    text += verdict + '\n';
  }
  if (const std::string stood = evaluate::StoodText(store); !stood.empty())
    text += fmt::format("  stood {}\n", stood);
  for (const std::string& also : evaluate::AlsoLines(table, store)) text += fmt::format("  also: {}\n", also);
  for (const std::string& unknown : evaluate::UnknownLines(table, store))
    text += fmt::format("  unknown: {}\n", unknown);
  if (style.terminal) {
    text += '\n';
  } else if (!store.labels.empty()) {
    text += fmt::format("  store: {}\n", LabelText(store));
  }
  text += SignalLines(evaluation, store, style);
  if (style.terminal) text += '\n';
  for (const std::string& line : AlertLines(table, store)) text += fmt::format("  {}\n", line);
  std::string footer = Footer(evaluation, store, style.terminal ? " · " : ", ");
  if (!style.terminal) footer += fmt::format(", decided for {}", UtcText(evaluation.time_ms));
  text += fmt::format("  {}\n", Paint(footer, Colour::kDim, style.colour));
  return text;
}

// "10000 stores: 1 MIGRATE NOW, 3 UNDETERMINED, 9996 SQLite sufficient"
std::string Summary(const evaluate::Evaluation& evaluation,
                    const std::vector<const evaluate::StoreDecision*>& stores) {
  std::vector<std::string> parts;
  std::map<std::string_view, std::size_t> counts;
  for (const evaluate::StoreDecision* store : stores)
    ++counts[decide::VerdictText(*evaluation.table, store->decision)];
  for (const evaluate::StoreDecision* store : stores) {
    const std::string_view verdict = decide::VerdictText(*evaluation.table, store->decision);
    if (const auto found = counts.find(verdict); found != counts.end()) {
      parts.push_back(fmt::format("{} {}", found->second, verdict));
      counts.erase(found);
    }
  }
  return fmt::format("{} stores: {}", stores.size(), fmt::join(parts, ", "));
}

std::string StoreTable(const evaluate::Evaluation& evaluation,
                       const std::vector<const evaluate::StoreDecision*>& stores, const TextStyle& style) {
  const Table& table = *evaluation.table;
  const auto sufficient =
      static_cast<std::size_t>(std::ranges::count_if(stores, [](const evaluate::StoreDecision* store) {
        return store->decision.outcome == decide::Outcome::kSufficient;
      }));
  const bool fold = style.terminal && sufficient > kSufficientRowsMax;
  std::size_t width = 0;
  for (const evaluate::StoreDecision* store : stores)
    width = std::max(width, Columns(evaluate::VerdictLine(table, *store)));
  std::string text = fmt::format("{}  {}\n\n", Paint(table.title, Colour::kBold, style.colour),
                                 Paint(UtcText(evaluation.time_ms), Colour::kDim, style.colour));
  for (const evaluate::StoreDecision* store : stores) {
    if (fold && store->decision.outcome == decide::Outcome::kSufficient) break;  // they come last
    const std::string line = Pad(evaluate::VerdictLine(table, *store), width);
    const std::vector<std::string> also = evaluate::AlsoLines(table, *store);
    text += fmt::format("  {}  {}{}\n", Paint(line, VerdictColour(table, *store), style.colour),
                        StoreTitle(*store), also.empty() ? "" : fmt::format("  (also {} more)", also.size()));
    for (const std::string& alert : AlertLines(table, *store)) text += fmt::format("    {}\n", alert);
  }
  if (fold) text += fmt::format("  {} more: {}\n", sufficient, table.sufficient);
  text += fmt::format("\n  {}\n", Paint(Summary(evaluation, stores), Colour::kBold, style.colour));
  const auto [first, last] = std::ranges::minmax(stores, {}, &evaluate::StoreDecision::logged_as);
  std::string footer = fmt::format("spec {} {}", table.store, ShortDigest(table.digest));
  if (first->logged_as) footer += fmt::format(", logged as #{} to #{}", *first->logged_as, *last->logged_as);
  return text + fmt::format("  {}\n", Paint(footer, Colour::kDim, style.colour));
}

}  // namespace

std::string TextReport(std::span<const evaluate::Evaluation> evaluations, const TextStyle& style) {
  const bool any_store = std::ranges::any_of(
      evaluations, [](const evaluate::Evaluation& evaluation) { return !evaluation.stores.empty(); });
  std::string text;
  for (const evaluate::Evaluation& evaluation : evaluations) {
    if (!text.empty()) text += '\n';
    const std::vector<const evaluate::StoreDecision*> stores = WorstFirst(evaluation);
    if (stores.empty() && any_store) {
      // A spec that nothing here uses; the other specs' stores are what was asked about.
      text += fmt::format("{}No store of the spec {}: {} has shown none for 26 hours.\n",
                          style.terminal ? "  " : "", evaluation.table->store, evaluation.table->present);
    } else if (stores.empty()) {
      text += fmt::format("{}{}\n", style.terminal ? "  " : "",
                          Paint(evaluate::NoStoreLine(evaluation), Colour::kMagenta, style.colour));
    } else if (stores.size() > kStoresInFullMax) {
      text += StoreTable(evaluation, stores, style);
    } else {
      for (const evaluate::StoreDecision* store : stores) {
        if (store != stores.front()) text += '\n';
        text += StoreInFull(evaluation, *store, style);
      }
    }
  }
  return text;
}

}  // namespace outgrown::report
