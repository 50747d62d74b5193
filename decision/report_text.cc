#include "decision/report_text.h"

#include <algorithm>
#include <functional>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "common/time_text.h"
#include "decision/report_parts.h"
#include "decision/signal_lines.h"
#include "decision/store_table.h"
#include "decision/wording.h"

namespace outgrown::report {
namespace {

std::vector<const evaluate::StoreDecision*> WorstFirst(const evaluate::Evaluation& evaluation) {
  std::vector<const evaluate::StoreDecision*> stores;
  for (const evaluate::StoreDecision& store : evaluation.stores) stores.push_back(&store);
  std::ranges::stable_sort(stores, std::greater<>(), [&](const evaluate::StoreDecision* store) {
    return evaluate::Badness(*evaluation.table, *store);
  });
  return stores;
}

std::string StoreInFull(const evaluate::Evaluation& evaluation, const evaluate::StoreDecision& store,
                        const TextStyle& style) {
  const Table& table = *evaluation.table;
  std::string text;
  const std::string verdict = evaluate::VerdictLine(table, store);
  if (style.terminal) {
    text += TitleLine(StoreTitle(store), evaluation.time_ms, style) + '\n';
    text += Indented(verdict, VerdictColour(table, store), style);
  } else {
    text += verdict + '\n';
  }
  if (const std::string stood = evaluate::StoodText(store); !stood.empty())
    text += Indented("stood " + stood, Colour::kNone, style);
  if (const std::string silence = evaluate::SilenceText(store); !silence.empty())
    text += Indented(silence, Colour::kNone, style);
  for (const std::string& also : evaluate::AlsoLines(table, store))
    text += Indented("also: " + also, Colour::kNone, style);
  for (const std::string& unknown : evaluate::UnknownLines(table, store))
    text += Indented("unknown: " + unknown, Colour::kNone, style);
  if (style.terminal) {
    text += '\n';
  } else if (!store.labels.empty()) {
    text += fmt::format("  store: {}\n", LabelText(store));
  }
  text += SignalLines(evaluation, store, style);
  if (style.terminal) text += '\n';
  for (const std::string& line : AlertLines(table, store)) text += Indented(line, Colour::kNone, style);
  std::string footer = Footer(evaluation, store, style.terminal ? " · " : ", ");
  if (!style.terminal) footer += fmt::format(", decided for {}", UtcText(evaluation.time_ms));
  return text + Indented(footer, Colour::kDim, style);
}

}  // namespace

std::string TextReport(std::span<const evaluate::Evaluation> evaluations, const TextStyle& style) {
  const bool any_store = std::ranges::any_of(
      evaluations, [](const evaluate::Evaluation& evaluation) { return !evaluation.stores.empty(); });
  std::string text;
  for (const evaluate::Evaluation& evaluation : evaluations) {
    if (!text.empty()) text += '\n';
    const std::vector<const evaluate::StoreDecision*> stores = WorstFirst(evaluation);
    const bool surely_none = evaluation.fleet.answered && !evaluation.fleet.nameless &&
                             evaluate::PresenceProblem(evaluation.fleet) == nullptr;
    if (stores.empty() && any_store && surely_none) {
      // A spec that nothing here uses; the other specs' stores are what was asked about.
      text += fmt::format("{}No store of the spec {}: {}.\n", style.terminal ? "  " : "",
                          evaluation.table->store, evaluate::NoneShownText(evaluation));
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
