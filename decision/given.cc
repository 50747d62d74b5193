#include "decision/given.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/json.h"
#include "common/text.h"

namespace outgrown::decision {
namespace {

constexpr std::string_view kLabels = "labels";

const SignalRow* FindSignal(const Table& table, std::string_view id) {
  const auto found = std::ranges::find(table.signals, id, &SignalRow::id);
  return found == table.signals.end() ? nullptr : &*found;
}

std::string KnownSignals(std::span<const Table* const> tables) {
  std::vector<std::string_view> ids;
  for (const Table* table : tables) {
    for (const SignalRow& signal : table->signals) ids.push_back(signal.id);
  }
  return fmt::format("{}", fmt::join(ids, ", "));
}

// The index of the one table that knows all signals of `members`.
// The file does not name its spec: its signals do, so that one file can hold stores of several specs.
Result<std::size_t> TableOf(std::span<const Table* const> tables, const Json::Object& members,
                            const std::string& where) {
  // First the names, so that a misspelt signal is named and not reported as "fits no spec".
  for (const auto& member : members) {
    const std::string& key = member.first;
    const auto knows = [&key](const Table* table) { return FindSignal(*table, key) != nullptr; };
    if (key != kLabels && std::ranges::none_of(tables, knows)) {
      return Error{fmt::format("unknown signal \"{}\"; known: {}", PlainText(key, 60), KnownSignals(tables)),
                   where};
    }
  }
  std::vector<std::size_t> fitting;
  for (std::size_t index = 0; index < tables.size(); ++index) {
    const bool knows_all = std::ranges::all_of(members, [&](const auto& member) {
      return member.first == kLabels || FindSignal(*tables[index], member.first) != nullptr;
    });
    if (knows_all) fitting.push_back(index);
  }
  if (fitting.size() == 1) return fitting.front();
  return Error{fitting.empty() ? "the signals of one store belong to several specs"
                               : "the signals fit several specs; choose one with --spec",
               where};
}

Result<GivenStore> ReadStore(const Table& table, const Json::Object& members, const std::string& where) {
  GivenStore store;
  // What is not mentioned is unknown, never 0.
  store.values.assign(table.signals.size(), std::numeric_limits<double>::quiet_NaN());
  for (const auto& [key, value] : members) {
    if (key == kLabels) {
      if (value.object() == nullptr) return Error{"\"labels\" must be an object of strings", where};
      for (const auto& [name, label] : *value.object()) {
        if (label.string() == nullptr) return Error{"\"labels\" must be an object of strings", where};
        store.labels.emplace_back(name, *label.string());
      }
    } else if (value.number() != nullptr) {
      // No unit has negative values: it is a mistake in the measurement, and must not count as healthy.
      if (*value.number() < 0) {
        return Error{
            fmt::format("\"{}\" is {}; expected 0 or more", PlainText(key, 60), ExactNumber(*value.number())),
            where};
      }
      store.values[static_cast<std::size_t>(FindSignal(table, key) - table.signals.data())] = *value.number();
    } else if (!value.is_null()) {
      return Error{fmt::format("\"{}\" must be a number, or null if it is not known", PlainText(key, 60)),
                   where};
    }
  }
  return store;
}

// JSON's members have no order, so {"a":..,"b":..} and {"b":..,"a":..} are one store.
Labels SortedLabels(const GivenStore& store) {
  Labels labels = store.labels;
  std::ranges::sort(labels);
  return labels;
}

}  // namespace

Result<std::vector<std::vector<GivenStore>>> ReadGiven(std::span<const Table* const> tables,
                                                       std::string_view text, std::string_view where) {
  const Result<Json> document = ParseJson(text);
  if (!document) return Error{document.error().what, std::string(where)};
  std::vector<const Json*> objects;
  if (document->array() != nullptr) {
    for (const Json& element : *document->array()) objects.push_back(&element);
  } else {
    objects.push_back(&*document);
  }
  if (objects.empty()) return Error{"holds no store", std::string(where)};
  std::vector<std::vector<GivenStore>> given(tables.size());
  std::set<std::pair<std::size_t, Labels>> names;
  for (std::size_t index = 0; index < objects.size(); ++index) {
    const std::string place =
        objects.size() == 1 ? std::string(where) : fmt::format("{}: store {}", where, index + 1);
    if (objects[index]->object() == nullptr) {
      return Error{"must be an object of signals and numbers, or a list of such objects", place};
    }
    const Result<std::size_t> table = TableOf(tables, *objects[index]->object(), place);
    if (!table) return table.error();
    Result<GivenStore> store = ReadStore(*tables[*table], *objects[index]->object(), place);
    if (!store) return store.error();
    // Stores without labels have no name that could be equal, so several of them are allowed.
    if (!store->labels.empty() && !names.emplace(*table, SortedLabels(*store)).second) {
      return Error{"has the same labels as an earlier store", place};
    }
    given[*table].push_back(std::move(*store));
  }
  return given;
}

}  // namespace outgrown::decision
