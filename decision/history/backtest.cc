#include "decision/history/backtest.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "common/time_text.h"
#include "decision/measure/walk.h"
#include "prometheus/ask.h"

namespace outgrown::history {
namespace {

using decision::Store;
using engine::Cause;

// When a store was last seen, instant by instant.
class LastSeen {
 public:
  // `seen`: the instants of a stretch at which it was there, and since when.
  LastSeen(std::optional<std::int64_t> last_ms, std::span<const Sample> seen)
      : last_ms_(last_ms), seen_(seen) {}
  LastSeen() = default;

  // Moves on to `time_ms`. Precondition: later than before.
  void MoveTo(std::int64_t time_ms) {
    while (next_ < seen_.size() && seen_[next_].time_ms <= time_ms) {
      last_ms_ = std::llround(seen_[next_].value * 1000);
      here_ = seen_[next_].time_ms == time_ms;
      ++next_;
      if (here_) return;
    }
    here_ = false;
  }
  bool here() const { return here_; }
  bool RememberedAt(std::int64_t time_ms) const { return last_ms_ && time_ms - *last_ms_ <= kLookbackMs; }
  const std::optional<std::int64_t>& last_ms() const { return last_ms_; }

 private:
  std::optional<std::int64_t> last_ms_;
  std::span<const Sample> seen_;
  std::size_t next_ = 0;
  bool here_ = false;
};

// Decides as --evaluate would have at every instant.
class Backtester : public decision::Visitor {
 public:
  Backtester(Backtest& backtest, prometheus_api::QuerySource& source, const Progress& progress)
      : backtest_(backtest),
        table_(*backtest.table),
        grid_(backtest.grid),
        source_(source),
        progress_(progress),
        list_(table_) {}

  Result<void> Run() {
    FindEarlier();
    const decision::Course course = {.after_ms = grid_.from_ms - grid_.step_ms,
                                     .to_ms = grid_.to_ms,
                                     .step_ms = grid_.step_ms,
                                     .steps_max = prometheus_api::kRangePointsMax,
                                     .with_history = true,
                                     .stores_expected = stores_at_end_};
    Result<void> walked = decision::Walk(table_, backtest_.choices, course, source_, list_, notes_, *this);
    if (!walked) return walked;
    if (const Result<void> few = CheckIntervals(); !few) return few;
    progress_(grid_.count(), grid_.count());
    Finish();
    return {};
  }

  Result<void> Begin(const decision::Stretch& stretch) override {
    if (Result<void> few = CheckIntervals(); !few) return few;
    const std::int64_t first = (stretch.after_ms - grid_.from_ms) / grid_.step_ms + 1;
    progress_(first, grid_.count());
    FetchPresence(stretch);
    CountListed(stretch);
    return {};
  }

  std::vector<std::int64_t> Instants(std::size_t store, const decision::Stretch& stretch) override {
    last_seen_ = LastSeenOf(store);
    visits_ = 0;
    backtest_.stores.resize(list_.stores().size());
    return InstantsOf(stretch);
  }

  void Visit(std::size_t index, std::int64_t time_ms, decision::StoreAt& at) override {
    Store& store = list_.stores()[index];
    last_seen_.MoveTo(time_ms);
    store.last_seen_ms = last_seen_.last_ms();
    at.Read(store, time_ms, decision::HistoryMs(listed_[visits_++]));
    Cause presence = Cause::kNone;
    if (!presence_known_ || !last_seen_.RememberedAt(time_ms)) {
      if (!at.any_sample() && !last_seen_.RememberedAt(time_ms)) return;  // no such store at this instant
      presence = Cause::kPresenceUnknown;
    } else if (!last_seen_.here()) {
      presence = Cause::kSilent;
    } else if (!std::ranges::binary_search(full_[index], time_ms)) {
      presence = Cause::kWindowNotFull;
    }
    intervals_ += Append(grid_, time_ms, at.Decide(presence), backtest_.stores[index]) ? 1 : 0;
  }

 private:
  // Which stores there were in the 26 hours before the grid, and how many there are at its end, by which the
  // length of a stretch is chosen.
  void FindEarlier() {
    const std::string memory = FormatDuration(Milliseconds(kLookbackMs));
    const prometheus_api::Reply earlier =
        prometheus_api::AskVector(source_,
                                  fmt::format("max{} (max_over_time(timestamp({})[{}:1m]))",
                                              decision::ByIdentity(table_), table_.present, memory),
                                  grid_.from_ms, notes_);
    for (const prometheus_api::Series& series : earlier.series) {
      const double seconds = series.samples.front().value;
      Store* const store = list_.FindOrAdd(series.labels, Cause::kNone);
      if (store != nullptr && std::isfinite(seconds)) store->last_seen_ms = std::llround(seconds * 1000);
    }
    const prometheus_api::Reply late =
        prometheus_api::AskVector(source_,
                                  fmt::format("count(count{} (last_over_time({}[{}])))",
                                              decision::ByIdentity(table_), table_.present, memory),
                                  grid_.to_ms, notes_);
    if (!late.usable() || late.series.empty()) return;
    const double stores = late.series.front().samples.front().value;
    if (stores >= 0 && stores < 1e9) stores_at_end_ = static_cast<std::size_t>(stores);
  }

  Result<void> CheckIntervals() const {
    if (intervals_ <= kIntervalsMax) return {};
    return Error{fmt::format("the verdicts change more than {} times; take a larger --step", kIntervalsMax),
                 std::string(table_.store)};
  }

  void Finish() {
    for (std::size_t index = 0; index < backtest_.stores.size(); ++index)
      backtest_.stores[index].identity = list_.stores()[index].identity;
    std::erase_if(backtest_.stores, [](const StoreTimeline& store) { return store.intervals.empty(); });
    std::ranges::sort(backtest_.stores, {}, &StoreTimeline::identity);
    backtest_.warnings = std::move(notes_.warnings);
    backtest_.answered = notes_.answered;
  }

  std::vector<std::int64_t> InstantsOf(const decision::Stretch& stretch) const {
    std::vector<std::int64_t> instants;
    for (std::int64_t time_ms = stretch.after_ms + grid_.step_ms; time_ms <= stretch.until_ms;
         time_ms += grid_.step_ms) {
      instants.push_back(time_ms);
    }
    return instants;
  }

  prometheus_api::Reply AskAtInstants(const std::string& promql, const decision::Stretch& stretch) {
    return prometheus_api::AskRange(source_, promql, stretch.after_ms + grid_.step_ms, stretch.until_ms,
                                    grid_.step_ms, notes_);
  }

  void FetchPresence(const decision::Stretch& stretch) {
    const prometheus_api::Reply reply = AskAtInstants(
        fmt::format("max{} (timestamp({}))", decision::ByIdentity(table_), table_.present), stretch);
    presence_known_ = reply.usable();
    seen_.assign(list_.stores().size(), {});
    for (const prometheus_api::Series& series : reply.series) {
      Store* const store = list_.FindOrAdd(series.labels, Cause::kNone);
      if (store == nullptr) {
        notes_.Warn(
            fmt::format("{}: a series lacks an identity label and names no store", reply.asked.promql));
        continue;
      }
      seen_.resize(list_.stores().size());
      seen_[list_.IndexOf(*store)] = series.samples;
    }
    FetchWindows(stretch);
  }

  void FetchWindows(const decision::Stretch& stretch) {
    full_.assign(seen_.size(), {});
    if (decision::RateWindowMs(table_) == 0) {
      for (std::size_t index = 0; index < seen_.size(); ++index) AddTimes(seen_[index], full_[index]);
      return;
    }
    const prometheus_api::Reply reply = AskAtInstants(decision::WindowQuery(table_), stretch);
    presence_known_ = presence_known_ && reply.usable();
    for (const prometheus_api::Series& series : reply.series) {
      const Store* const store = list_.Find(series.labels);
      if (store != nullptr) AddTimes(series.samples, full_[list_.IndexOf(*store)]);
    }
  }

  static void AddTimes(const std::vector<Sample>& samples, std::vector<std::int64_t>& times) {
    for (const Sample& sample : samples) times.push_back(sample.time_ms);
  }

  // How many stores --evaluate would have listed at each instant. With few it reads more history (HistoryMs), which can
  // change a cause from "too few samples" to "hole"; the backtest has to read the same.
  void CountListed(const decision::Stretch& stretch) {
    const std::vector<std::int64_t> instants = InstantsOf(stretch);
    listed_.assign(instants.size(), 0);
    for (std::size_t index = 0; index < list_.stores().size(); ++index) {
      LastSeen seen = LastSeenOf(index);
      for (std::size_t instant = 0; instant < instants.size(); ++instant) {
        seen.MoveTo(instants[instant]);
        if (seen.RememberedAt(instants[instant])) ++listed_[instant];
      }
    }
  }

  // As it was before the stretch.
  LastSeen LastSeenOf(std::size_t index) const {
    return index < seen_.size() ? LastSeen(list_.stores()[index].last_seen_ms, seen_[index])
                                : LastSeen(list_.stores()[index].last_seen_ms, {});
  }

  Backtest& backtest_;
  const Table& table_;
  const Grid& grid_;
  prometheus_api::QuerySource& source_;
  const Progress& progress_;
  decision::StoreList list_;
  decision::FleetNotes notes_;
  std::size_t stores_at_end_ = 1;
  std::vector<std::vector<Sample>> seen_;        // by store: see LastSeen
  std::vector<std::vector<std::int64_t>> full_;  // by store: the instants at which its window was full
  std::vector<std::size_t> listed_;              // by instant of the stretch: see CountListed
  LastSeen last_seen_;                           // of the store that is visited
  std::size_t visits_ = 0;                       // of that store, in this stretch
  bool presence_known_ = true;                   // in this stretch
  std::size_t intervals_ = 0;
};

}  // namespace

Result<void> Run(Backtest& backtest, prometheus_api::QuerySource& source, const Progress& progress) {
  backtest.server = source.name();
  return Backtester(backtest, source, progress).Run();
}

}  // namespace outgrown::history
