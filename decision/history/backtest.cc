#include "decision/history/backtest.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "common/time_text.h"
#include "prometheus/ask.h"
#include "thresholds/names.h"

namespace outgrown::backtest {
namespace {

using decide::Cause;
using evaluate::kLookbackMs;
using evaluate::Store;

// The expression by which `spec` records `series`; nothing if it does not.
std::optional<std::string> ExprOf(const spec::Spec& spec, const std::string& series) {
  for (const spec::Signal& signal : spec.signals) {
    if (spec::RecordedSeries(spec.store, signal.id) == series) return signal.expr;
  }
  if (spec.coverage && spec::CoverageSeries(spec.store) == series) return spec.coverage->expr;
  return std::nullopt;
}

// Why the recorded series is not what `expr` gives; "" if it is.
std::string WhyRaw(const std::string& series, const std::string& expr, const spec::Spec& spec,
                   const spec::Spec* reference, const Recordings& recordings) {
  const auto loaded = recordings.loaded.find(series);
  if (loaded != recordings.loaded.end()) {
    if (!recordings.same(loaded->second, expr)) return "Prometheus records another expression";
  } else if (reference != nullptr) {
    const std::optional<std::string> other = ExprOf(*reference, series);
    if (!other) return "the other spec does not record it";
    if (!recordings.same(*other, expr)) return "the expression differs from the other spec's";
  }
  if (reference != nullptr && reference->rules.interval != spec.rules.interval) {
    return "the interval differs from the other spec's";
  }
  if (reference != nullptr && reference->store.identity != spec.store.identity) {
    return "the identity differs from the other spec's";
  }
  return recordings.has_samples(series) ? "" : "Prometheus has not recorded it";
}

SeriesChoice Choose(std::string title, const std::string& series, const std::string& expr,
                    const spec::Spec& spec, const spec::Spec* reference, const Recordings& recordings) {
  std::string reason = WhyRaw(series, expr, spec, reference, recordings);
  return {std::move(title), reason.empty() ? "" : expr, std::move(reason)};
}

// When a store was last seen, instant by instant.
class LastSeen {
 public:
  // `seen`: the instants of a stretch at which it was there, and since when.
  LastSeen(std::optional<std::int64_t> last_ms, const std::vector<Sample>& seen)
      : last_ms_(last_ms), seen_(seen) {}

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
  const std::vector<Sample>& seen_;
  std::size_t next_ = 0;
  bool here_ = false;
};

// The walk through the instants, in stretches: what deciding needs is fetched for all stores at once, one stretch at a time, so
// that memory does not grow with the period.
class Walk {
 public:
  Walk(Backtest& backtest, prometheus_api::QuerySource& source)
      : backtest_(backtest),
        table_(*backtest.table),
        grid_(backtest.grid),
        source_(source),
        list_(table_),
        at_(table_) {}

  // Which stores there were in the 26 hours before the grid, and how many there are at its end, by which the length of a
  // stretch is chosen.
  void FindEarlier() {
    const std::string memory = FormatDuration(Milliseconds(kLookbackMs));
    const prometheus_api::Reply earlier =
        prometheus_api::AskVector(source_,
                                  fmt::format("max{} (max_over_time(timestamp({})[{}:1m]))",
                                              evaluate::ByIdentity(table_), table_.present, memory),
                                  grid_.from_ms, notes_);
    for (const prometheus_api::Series& series : earlier.series) {
      const double seconds = series.samples.front().value;
      Store* const store = list_.FindOrAdd(series.labels, Cause::kNone);
      if (store != nullptr && std::isfinite(seconds)) store->last_seen_ms = std::llround(seconds * 1000);
    }
    const prometheus_api::Reply late =
        prometheus_api::AskVector(source_,
                                  fmt::format("count(count{} (last_over_time({}[{}])))",
                                              evaluate::ByIdentity(table_), table_.present, memory),
                                  grid_.to_ms, notes_);
    if (!late.believed() || late.series.empty()) return;
    const double stores = late.series.front().samples.front().value;
    if (stores >= 0 && stores < 1e9) stores_at_end_ = static_cast<std::size_t>(stores);
  }

  // Decides at the instants from `first` on for as long as one stretch takes; gives the last one.
  std::int64_t Stretch(std::int64_t first) {
    const std::size_t stores = std::max(stores_at_end_, list_.stores().size());
    const std::int64_t history_ms = evaluate::HistoryMs(stores);
    const std::int64_t count =
        std::clamp<std::int64_t>((evaluate::StretchMs(table_, stores) - history_ms) / grid_.step_ms, 1,
                                 prometheus_api::kRangePointsMax);
    const std::int64_t last = std::min(grid_.count(), first + count) - 1;
    FetchPresence(first, last);
    evaluate::FetchSamples(table_, backtest_.choices, source_, grid_.At(first) - history_ms, grid_.At(last),
                           list_, notes_);
    seen_.resize(list_.stores().size());
    full_.resize(list_.stores().size());
    backtest_.stores.resize(list_.stores().size());
    CountListed(first, last);
    for (std::size_t index = 0; index < list_.stores().size(); ++index) DecideStore(index, first, last);
    return last;
  }

  std::size_t intervals() const { return intervals_; }

  void Finish() {
    for (std::size_t index = 0; index < backtest_.stores.size(); ++index)
      backtest_.stores[index].identity = list_.stores()[index].identity;
    std::erase_if(backtest_.stores, [](const StoreTimeline& store) { return store.intervals.empty(); });
    std::ranges::sort(backtest_.stores, {}, &StoreTimeline::identity);
    backtest_.warnings = std::move(notes_.warnings);
    backtest_.answered = notes_.answered;
  }

 private:
  void FetchPresence(std::int64_t first, std::int64_t last) {
    const prometheus_api::Reply reply = prometheus_api::AskRange(
        source_, fmt::format("max{} (timestamp({}))", evaluate::ByIdentity(table_), table_.present),
        grid_.At(first), grid_.At(last), grid_.step_ms, notes_);
    presence_known_ = reply.believed();
    seen_.assign(list_.stores().size(), {});
    for (const prometheus_api::Series& series : reply.series) {
      Store* const store = list_.FindOrAdd(series.labels, Cause::kNone);
      if (store == nullptr) {
        notes_.Warn(
            fmt::format("{}: a series lacks an identity label and names no store", reply.asked.promql));
        continue;
      }
      seen_.resize(list_.stores().size());
      seen_[static_cast<std::size_t>(store - list_.stores().data())] = series.samples;
    }
    FetchWindows(first, last);
  }

  void FetchWindows(std::int64_t first, std::int64_t last) {
    full_.assign(seen_.size(), {});
    if (evaluate::RateWindowMs(table_) == 0) {
      for (std::size_t index = 0; index < seen_.size(); ++index) AddTimes(seen_[index], full_[index]);
      return;
    }
    const prometheus_api::Reply reply = prometheus_api::AskRange(
        source_, evaluate::WindowQuery(table_), grid_.At(first), grid_.At(last), grid_.step_ms, notes_);
    presence_known_ = presence_known_ && reply.believed();
    for (const prometheus_api::Series& series : reply.series) {
      const Store* const store = list_.Find(series.labels);
      if (store != nullptr)
        AddTimes(series.samples, full_[static_cast<std::size_t>(store - list_.stores().data())]);
    }
  }

  static void AddTimes(const std::vector<Sample>& samples, std::vector<std::int64_t>& times) {
    for (const Sample& sample : samples) times.push_back(sample.time_ms);
  }

  // How many stores --evaluate would have listed at each instant. With few it reads more history (HistoryMs), which can
  // change a cause from "too few samples" to "hole"; the backtest has to read the same.
  void CountListed(std::int64_t first, std::int64_t last) {
    listed_.assign(static_cast<std::size_t>(last - first + 1), 0);
    for (std::size_t index = 0; index < list_.stores().size(); ++index) {
      LastSeen seen(list_.stores()[index].last_seen_ms, seen_[index]);
      for (std::int64_t instant = first; instant <= last; ++instant) {
        seen.MoveTo(grid_.At(instant));
        if (seen.RememberedAt(grid_.At(instant))) ++listed_[static_cast<std::size_t>(instant - first)];
      }
    }
  }

  void DecideStore(std::size_t index, std::int64_t first, std::int64_t last) {
    Store& store = list_.stores()[index];
    LastSeen seen(store.last_seen_ms, seen_[index]);
    for (std::int64_t instant = first; instant <= last; ++instant) {
      const std::int64_t time_ms = grid_.At(instant);
      seen.MoveTo(time_ms);
      at_.Read(store, time_ms, evaluate::HistoryMs(listed_[static_cast<std::size_t>(instant - first)]));
      Cause presence = Cause::kNone;
      if (!presence_known_ || !seen.RememberedAt(time_ms)) {
        if (!at_.any_sample() && !seen.RememberedAt(time_ms)) continue;  // no such store at this instant
        presence = Cause::kPresenceUnknown;
      } else if (!seen.here()) {
        presence = Cause::kSilent;
      } else if (!std::ranges::binary_search(full_[index], time_ms)) {
        presence = Cause::kWindowNotFull;
      }
      const decide::Decision decision = at_.Decide(presence);
      intervals_ += Append(grid_, time_ms, decision, backtest_.stores[index]) ? 1 : 0;
    }
    store.last_seen_ms = seen.last_ms();
  }

  Backtest& backtest_;
  const Table& table_;
  const Grid& grid_;
  prometheus_api::QuerySource& source_;
  evaluate::StoreList list_;
  evaluate::FleetNotes notes_;
  evaluate::StoreAt at_;
  std::size_t stores_at_end_ = 1;
  std::vector<std::vector<Sample>> seen_;        // by store: see LastSeen
  std::vector<std::vector<std::int64_t>> full_;  // by store: the instants at which its window was full
  std::vector<std::size_t> listed_;              // by instant of the stretch: see CountListed
  bool presence_known_ = true;                   // in this stretch
  std::size_t intervals_ = 0;
};

}  // namespace

SeriesChoices ChooseSeries(const spec::Spec& spec, const spec::Spec* reference,
                           const Recordings& recordings) {
  SeriesChoices choices;
  for (const spec::Signal& signal : spec.signals) {
    choices.signals.push_back(Choose(signal.title, spec::RecordedSeries(spec.store, signal.id), signal.expr,
                                     spec, reference, recordings));
  }
  if (spec.coverage) {
    choices.coverage = Choose("Coverage", spec::CoverageSeries(spec.store), spec.coverage->expr, spec,
                              reference, recordings);
  }
  return choices;
}

Result<void> Run(Backtest& backtest, prometheus_api::QuerySource& source, const Progress& progress) {
  backtest.server = source.name();
  const std::int64_t count = backtest.grid.count();
  Walk walk(backtest, source);
  walk.FindEarlier();
  for (std::int64_t first = 0; first < count;) {
    progress(first, count);
    first = walk.Stretch(first) + 1;
    if (walk.intervals() > kIntervalsMax) {
      return Error{fmt::format("the verdicts change more than {} times; take a larger --step", kIntervalsMax),
                   std::string(backtest.table->store)};
    }
  }
  progress(count, count);
  walk.Finish();
  return {};
}

}  // namespace outgrown::backtest
