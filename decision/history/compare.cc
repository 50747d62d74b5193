#include "decision/history/compare.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/time_text.h"
#include "decision/report/quantity.h"

namespace outgrown::history {
namespace {

using engine::Decision;

// By id: the two specs may list their thresholds in other orders.
const ThresholdRow* Find(const Table& table, std::string_view id) {
  const auto found = std::ranges::find(table.thresholds, id, &ThresholdRow::id);
  return found == table.thresholds.end() ? nullptr : &*found;
}

std::string DirectedLimit(const ThresholdRow& row, const std::string& limit) {
  return fmt::format("{} {}", row.direction == Direction::kAbove ? "above" : "below", limit);
}

std::string LimitText(const Table& table, const ThresholdRow& row) {
  return DirectedLimit(row, decision::QuantityText(row.limit, table.signals[row.signal].unit));
}

// "above 90 instead of above 100", ...: how the rows differ.
std::vector<std::string> Differences(const Backtest& from, const ThresholdRow& old_row, const Backtest& to,
                                     const ThresholdRow& new_row) {
  std::vector<std::string> parts;
  const auto differ = [&](const std::string& now, const std::string& then) {
    if (now != then) parts.push_back(fmt::format("{} instead of {}", now, then));
  };
  if (old_row.limit != new_row.limit || old_row.direction != new_row.direction) {
    // Of one unit, with as many digits as make the two limits differ; of two units there is nothing to align.
    const Unit unit = to.table->signals[new_row.signal].unit;
    const Unit old_unit = from.table->signals[old_row.signal].unit;
    const decision::ValueAndLimit limits =
        unit == old_unit ? decision::ValueAndLimitText(new_row.limit, old_row.limit, unit)
                         : decision::ValueAndLimit{decision::QuantityText(new_row.limit, unit),
                                                   decision::QuantityText(old_row.limit, old_unit)};
    differ(DirectedLimit(new_row, limits.value), DirectedLimit(old_row, limits.limit));
  }
  differ("for " + FormatDuration(Milliseconds(new_row.hold_ms)),
         "for " + FormatDuration(Milliseconds(old_row.hold_ms)));
  differ(std::string(to.table->verdicts[new_row.verdict].text),
         std::string(from.table->verdicts[old_row.verdict].text));
  differ("signal " + std::string(to.table->signals[new_row.signal].id),
         "signal " + std::string(from.table->signals[old_row.signal].id));
  if (from.choices.signals[old_row.signal].expr != to.choices.signals[new_row.signal].expr) {
    parts.emplace_back("another expression");
  }
  return parts;
}

// The store's interval that holds `time_ms`, or the next one; the end if there is none.
struct Cursor {
  const std::vector<Interval>* intervals = nullptr;
  std::size_t next = 0;

  const Interval* At(std::int64_t time_ms) {
    while (next < intervals->size() && (*intervals)[next].last_ms < time_ms) ++next;
    return next < intervals->size() && (*intervals)[next].first_ms <= time_ms ? &(*intervals)[next] : nullptr;
  }
  // The last instant at which At gives what it gives at `time_ms`.
  std::int64_t SameUntil(std::int64_t time_ms, std::int64_t step_ms) {
    if (const Interval* here = At(time_ms); here != nullptr) return here->last_ms;
    return next < intervals->size() ? (*intervals)[next].first_ms - step_ms
                                    : std::numeric_limits<std::int64_t>::max();
  }
};

std::optional<Decision> DecisionOf(const Interval* interval) {
  return interval == nullptr ? std::nullopt : std::optional(interval->decision);
}

bool SameChange(const std::optional<Decision>& a, const std::optional<Decision>& b) {
  return a.has_value() == b.has_value() && (!a || SameLine(*a, *b));
}

// Walks from one boundary of either timeline to the next, so that the cost grows with the intervals and not
// with the instants.
std::vector<Change> CompareStore(const Backtest& from, const std::vector<Interval>& old_intervals,
                                 const Backtest& to, const std::vector<Interval>& new_intervals) {
  std::vector<Change> changes;
  Cursor old_cursor{&old_intervals};
  Cursor new_cursor{&new_intervals};
  const Grid& grid = from.grid;
  for (std::int64_t time_ms = grid.from_ms; time_ms <= grid.to_ms;) {
    const std::int64_t last_ms = std::min({grid.to_ms, old_cursor.SameUntil(time_ms, grid.step_ms),
                                           new_cursor.SameUntil(time_ms, grid.step_ms)});
    const std::optional<Decision> before = DecisionOf(old_cursor.At(time_ms));
    const std::optional<Decision> after = DecisionOf(new_cursor.At(time_ms));
    const bool differs = before.has_value() != after.has_value() || (before && !SameVerdict(*before, *after));
    if (differs) {
      if (!changes.empty() && changes.back().last_ms + grid.step_ms == time_ms &&
          SameChange(changes.back().from, before) && SameChange(changes.back().to, after)) {
        changes.back().last_ms = last_ms;
      } else {
        changes.push_back({time_ms, last_ms, before, after, ""});
        // Once for each change, not for each of its instants.
        changes.back().why = WhyChanged(from, to, changes.back());
      }
    }
    time_ms = last_ms + grid.step_ms;
  }
  return changes;
}

}  // namespace

std::string WhyChanged(const Backtest& from, const Backtest& to, const Change& change) {
  std::vector<std::string_view> ids;
  const auto add = [&](const Backtest& side, const std::optional<Decision>& decision) {
    if (!decision || decision->lead == engine::kNoThreshold) return;
    const std::string_view id = side.table->thresholds[decision->lead].id;
    if (std::ranges::find(ids, id) == ids.end()) ids.push_back(id);
  };
  add(from, change.from);
  add(to, change.to);
  std::vector<std::string> reasons;
  for (const std::string_view id : ids) {
    const ThresholdRow* const old_row = Find(*from.table, id);
    const ThresholdRow* const new_row = Find(*to.table, id);
    if (old_row == nullptr) {
      reasons.push_back(fmt::format("{} is new: {}", id, LimitText(*to.table, *new_row)));
    } else if (new_row == nullptr) {
      reasons.push_back(fmt::format("{} is gone: {}", id, LimitText(*from.table, *old_row)));
    } else if (const std::vector<std::string> parts = Differences(from, *old_row, to, *new_row);
               !parts.empty()) {
      reasons.push_back(fmt::format("{}: {}", id, fmt::join(parts, ", ")));
    }
  }
  if (!reasons.empty()) return fmt::format("{}", fmt::join(reasons, "; "));
  return ids.empty() ? "which stores there are" : fmt::format("{}", fmt::join(ids, ", "));
}

std::vector<StoreChanges> Compare(const Backtest& from, const Backtest& to) {
  static const std::vector<Interval> none;
  std::vector<StoreChanges> all;
  auto old_store = from.stores.begin();
  auto new_store = to.stores.begin();
  while (old_store != from.stores.end() || new_store != to.stores.end()) {
    // Both lists are sorted by identity, so they are merged in one pass.
    const bool has_old = old_store != from.stores.end() &&
                         (new_store == to.stores.end() || old_store->identity <= new_store->identity);
    const bool has_new = new_store != to.stores.end() &&
                         (old_store == from.stores.end() || new_store->identity <= old_store->identity);
    StoreChanges store;
    store.identity = has_old ? old_store->identity : new_store->identity;
    store.changes =
        CompareStore(from, has_old ? old_store->intervals : none, to, has_new ? new_store->intervals : none);
    if (has_old) ++old_store;
    if (has_new) ++new_store;
    if (!store.changes.empty()) all.push_back(std::move(store));
  }
  return all;
}

}  // namespace outgrown::history
