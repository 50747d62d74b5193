#include "decision/history/backtest.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

#include "decision/history/stretch.h"
#include "decision/measure.h"

namespace outgrown::backtest {
namespace {

using decide::Cause;

// When a store was last seen, as the instants go by.
class LastSeen {
 public:
  explicit LastSeen(const Store& store) : store_(store), last_ms_(store.last_seen_ms) {}

  // Moves on to `time_ms`. Precondition: later than before.
  void MoveTo(std::int64_t time_ms) {
    while (next_ < store_.seen.size() && store_.seen[next_].time_ms <= time_ms) {
      last_ms_ = std::llround(store_.seen[next_].value * 1000);
      here_ = store_.seen[next_].time_ms == time_ms;
      ++next_;
      if (here_) return;
    }
    here_ = false;
  }
  bool here() const { return here_; }
  bool RememberedAt(std::int64_t time_ms) const { return last_ms_ && time_ms - *last_ms_ <= kRememberedMs; }
  const std::optional<std::int64_t>& last_ms() const { return last_ms_; }

 private:
  const Store& store_;
  std::optional<std::int64_t> last_ms_;
  std::size_t next_ = 0;
  bool here_ = false;
};

// Decides at the instants of one stretch.
class Decider {
 public:
  Decider(const Table& table, const Grid& grid, const Stretch& stretch, bool presence_known)
      : table_(table),
        grid_(grid),
        stretch_(stretch),
        presence_known_(presence_known),
        stores_listed_(static_cast<std::size_t>(stretch.last - stretch.first + 1)),
        readings_(table.signals.size()),
        rooms_(table.signals.size()),
        findings_(table.thresholds.size()) {}

  // How many stores --evaluate would have listed at each instant: with a few it looks further back.
  void Count(const std::vector<Store>& stores) {
    for (const Store& store : stores) {
      LastSeen seen(store);
      for (std::int64_t index = stretch_.first; index <= stretch_.last; ++index) {
        seen.MoveTo(grid_.At(index));
        if (seen.RememberedAt(grid_.At(index)))
          ++stores_listed_[static_cast<std::size_t>(index - stretch_.first)];
      }
    }
  }

  // Appends to `timeline`; gives the number of new intervals.
  std::size_t Decide(Store& store, StoreTimeline& timeline) {
    LastSeen seen(store);
    std::size_t opened = 0;
    for (std::int64_t index = stretch_.first; index <= stretch_.last; ++index) {
      const std::int64_t time_ms = grid_.At(index);
      seen.MoveTo(time_ms);
      const bool any_sample = Read(store, index);
      Cause presence = Cause::kNone;
      if (!presence_known_ || !seen.RememberedAt(time_ms)) {
        if (!any_sample && !seen.RememberedAt(time_ms)) continue;  // no such store at this instant
        presence = Cause::kPresenceUnknown;
      } else if (!seen.here()) {
        presence = Cause::kSilent;
      }
      const decide::Decision decision = decide::Decide(
          table_, {.time_ms = time_ms, .presence = presence, .signals = readings_, .coverage = coverage_},
          findings_);
      opened += Append(grid_, time_ms, decision, timeline) ? 1 : 0;
    }
    store.last_seen_ms = seen.last_ms();
    return opened;
  }

 private:
  // Fills the readings at an instant; true if any has a sample.
  bool Read(const Store& store, std::int64_t index) {
    const std::int64_t time_ms = grid_.At(index);
    const std::size_t listed = stores_listed_[static_cast<std::size_t>(index - stretch_.first)];
    const std::int64_t history_ms = listed <= evaluate::kDetailedStoresMax ? evaluate::kHistoryMs : 0;
    const auto look = [&](std::int64_t window_ms) {
      return Look{.time_ms = time_ms, .range_ms = window_ms + history_ms, .window_ms = window_ms};
    };
    const auto has_samples = [](const decide::Reading& reading) {
      return !reading.samples.empty() || reading.cause == Cause::kSeveralSeries;
    };
    bool any = false;
    for (std::size_t signal = 0; signal < readings_.size(); ++signal) {
      readings_[signal] =
          ReadingAt(store.signals[signal], look(evaluate::WindowMs(table_, signal)), rooms_[signal]);
      any |= has_samples(readings_[signal]);
    }
    coverage_ = ReadingAt(store.coverage, look(evaluate::CoverageWindowMs(table_)), coverage_room_);
    return any || has_samples(coverage_);
  }

  const Table& table_;
  const Grid& grid_;
  const Stretch& stretch_;
  bool presence_known_;
  std::vector<std::size_t> stores_listed_;  // by instant of the stretch
  std::vector<decide::Reading> readings_;
  std::vector<std::vector<Sample>> rooms_;
  decide::Reading coverage_;
  std::vector<Sample> coverage_room_;
  std::vector<decide::Finding> findings_;
};

}  // namespace

Result<void> Run(Backtest& backtest, prometheus_api::RangeSource& source, const Progress& progress) {
  const Table& table = *backtest.table;
  const Grid& grid = backtest.grid;
  backtest.server = source.name();
  Fleet fleet(table, backtest.choices, source, grid);
  fleet.FindEarlier();
  std::size_t intervals = 0;
  for (std::int64_t first = 0; first < grid.count();) {
    progress(first, grid.count());
    const Stretch stretch = {first, std::min(grid.count(), first + fleet.InstantsMax()) - 1};
    fleet.Fetch(stretch);
    std::vector<Store>& stores = fleet.stores();
    backtest.stores.resize(stores.size());
    Decider decider(table, grid, stretch, fleet.presence_known());
    decider.Count(stores);
    for (std::size_t index = 0; index < stores.size(); ++index) {
      intervals += decider.Decide(stores[index], backtest.stores[index]);
    }
    if (intervals > kIntervalsMax) {
      return Error{fmt::format("the verdicts change more than {} times; take a larger --step", kIntervalsMax),
                   std::string(table.store)};
    }
    first = stretch.last + 1;
  }
  progress(grid.count(), grid.count());
  for (std::size_t index = 0; index < backtest.stores.size(); ++index) {
    backtest.stores[index].identity = fleet.stores()[index].identity;
  }
  std::erase_if(backtest.stores, [](const StoreTimeline& store) { return store.intervals.empty(); });
  std::ranges::sort(backtest.stores, {}, &StoreTimeline::identity);
  backtest.warnings = fleet.TakeWarnings();
  backtest.answered = fleet.answered();
  return {};
}

}  // namespace outgrown::backtest
