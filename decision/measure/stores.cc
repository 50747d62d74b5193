#include "decision/measure/stores.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/time_text.h"

namespace outgrown::decision {
namespace {

// How exactly the last sample of a silent store is found; each step costs the server one lookup of every store.
constexpr std::string_view kLookbackStep = "1m";
// How old a sample may be that an instant query still returns: the default of --query.lookback-delta. A gap
// up to this long, as a restart makes one, does not start a store's window again.
constexpr std::int64_t kShownMs = 300'000;

bool IsSought(const Store& store) { return store.presence == engine::Cause::kSilent && !store.last_seen_ms; }

prometheus_api::Reply AskPresence(prometheus_api::QuerySource& source, const std::string& promql,
                                  FleetNotes& fleet) {
  prometheus_api::Reply reply = prometheus_api::AskVector(source, promql, fleet.time_ms, fleet);
  fleet.presence_queries.push_back(reply.asked);
  return reply;
}

// Since when the stores are silent: backwards in steps of 26 hours, so that no query costs more than the daily one.
// timestamp() in a subquery gives the time of the sample that an instant query would show at each step, so
// the maximum over it is the last sample's time.
void FindLastSeen(const Table& table, prometheus_api::QuerySource& source, StoreList& list,
                  FleetNotes& fleet) {
  for (std::int64_t back_ms = 0; back_ms < fleet.lookback_ms && std::ranges::any_of(list.stores(), IsSought);
       back_ms += kLookbackMs) {
    const std::int64_t range_ms = std::min(kLookbackMs, fleet.lookback_ms - back_ms);
    const prometheus_api::Reply seen =
        AskPresence(source,
                    fmt::format("max{} (max_over_time(timestamp({})[{}:{}]{}))", ByIdentity(table),
                                table.present, FormatDuration(Milliseconds(range_ms)), kLookbackStep,
                                back_ms == 0 ? "" : " offset " + FormatDuration(Milliseconds(back_ms))),
                    fleet);
    // Since when a store is silent is only said; that it is silent was known before.
    if (!seen.usable()) return;
    const std::int64_t to_ms = fleet.time_ms - back_ms;
    for (const prometheus_api::Series& series : seen.series) {
      Store* const store = list.Find(series.labels);
      const double time_ms = series.samples.front().value * 1000;
      if (store == nullptr || !IsSought(*store) || !std::isfinite(time_ms)) continue;
      // A time that the query can't have found is not taken; the subquery's first step may show a sample of
      // up to five minutes before.
      if (time_ms >= static_cast<double>(to_ms - range_ms - kShownMs) &&
          time_ms <= static_cast<double>(to_ms)) {
        store->last_seen_ms = std::llround(time_ms);
      }
    }
  }
}

// Which of the reporting stores were not there one window ago, and since when they have been.
void FindWindows(const Table& table, prometheus_api::QuerySource& source, StoreList& list,
                 FleetNotes& fleet) {
  if (RateWindowMs(table) == 0) return;
  const prometheus_api::Reply full = AskPresence(source, WindowQuery(table), fleet);
  for (Store& store : list.stores()) {
    if (store.presence != engine::Cause::kNone) continue;
    // Assumed of all and taken back below for those that the answer shows.
    store.presence = full.usable() ? engine::Cause::kWindowNotFull : engine::Cause::kPresenceUnknown;
  }
  if (!full.usable()) return;
  for (const prometheus_api::Series& series : full.series) {
    Store* const store = list.Find(series.labels);
    if (store != nullptr && store->presence == engine::Cause::kWindowNotFull)
      store->presence = engine::Cause::kNone;
  }
  const auto is_short = [](const Store& store) { return store.presence == engine::Cause::kWindowNotFull; };
  if (std::ranges::none_of(list.stores(), is_short)) return;
  const std::int64_t window_ms = RateWindowMs(table);
  const prometheus_api::Reply since =
      AskPresence(source,
                  fmt::format("min{} (min_over_time(timestamp({})[{}:{}]))", ByIdentity(table), table.present,
                              FormatDuration(Milliseconds(window_ms)),
                              FormatDuration(Milliseconds(table.scrape_interval_ms))),
                  fleet);
  if (!since.usable()) return;
  for (const prometheus_api::Series& series : since.series) {
    Store* const store = list.Find(series.labels);
    const double time_ms = series.samples.front().value * 1000;
    if (store == nullptr || !is_short(*store) || !(time_ms <= static_cast<double>(fleet.time_ms))) continue;
    if (time_ms >= static_cast<double>(fleet.time_ms - window_ms - kShownMs))
      store->measured_since_ms = std::llround(time_ms);
  }
}

}  // namespace

Identity IdentityOf(const Table& table, const prometheus_api::Labels& labels) {
  Identity identity;
  for (const std::string_view name : table.identity)
    identity.emplace_back(prometheus_api::LabelValue(labels, name));
  return identity;
}

std::string ByIdentity(const Table& table) {
  return fmt::format(" by ({})", fmt::join(table.identity, ", "));
}

std::int64_t RateWindowMs(const Table& table) {
  std::int64_t window_ms = table.coverage_window_ms;
  for (const SignalRow& signal : table.signals) window_ms = std::max(window_ms, signal.window_ms);
  return window_ms == 0 ? 0 : window_ms + table.interval_ms;
}

std::string WindowQuery(const Table& table) {
  return fmt::format("count{} (last_over_time({}[{}] offset {}))", ByIdentity(table), table.present,
                     FormatDuration(Milliseconds(kShownMs)),
                     FormatDuration(Milliseconds(RateWindowMs(table))));
}

Store* StoreList::FindOrAdd(const prometheus_api::Labels& labels, engine::Cause presence_if_new) {
  if (Store* const known = Find(labels)) return known;
  Identity identity = IdentityOf(table_, labels);
  // Prometheus takes an absent label for an empty one, so a store without one of them could be any store.
  const bool whole = std::ranges::none_of(identity, &std::string::empty);
  return whole ? &Add(std::move(identity), presence_if_new) : nullptr;
}

Store* StoreList::Find(const prometheus_api::Labels& labels) {
  const auto value = [&labels](std::string_view name) { return prometheus_api::LabelValue(labels, name); };
  // Answers have one order, mostly: the store behind the last one.
  if (next_ < stores_.size() && std::ranges::equal(stores_[next_].identity, table_.identity, {}, {}, value))
    return &stores_[next_++];
  key_.clear();
  for (const std::string_view name : table_.identity) AddToKey(value(name));
  const auto found = places_.find(key_);
  if (found == places_.end()) return nullptr;
  next_ = found->second + 1;
  return &stores_[found->second];
}

void StoreList::AddToKey(std::string_view value) {
  key_ += value;
  key_ += '\xFF';  // in no UTF-8, so in no label value
}

Store& StoreList::Add(Identity identity, engine::Cause presence_if_new) {
  key_.clear();
  for (const std::string& value : identity) AddToKey(value);
  const auto [found, added] = places_.try_emplace(key_, stores_.size());
  if (added) {
    Store& store = stores_.emplace_back();
    store.identity = std::move(identity);
    store.presence = presence_if_new;
    store.signals.resize(table_.signals.size());
  }
  return stores_[found->second];
}

bool FindStores(const Table& table, prometheus_api::QuerySource& source, StoreList& list, FleetNotes& fleet) {
  const auto add = [&](const prometheus_api::Reply& reply, engine::Cause presence) {
    for (const prometheus_api::Series& series : reply.series) {
      Store* const store = list.FindOrAdd(series.labels, presence);
      if (store == nullptr) {
        fleet.without_identity = true;
        fleet.Warn(
            fmt::format("a series of {} lacks an identity label, so it belongs to no store", table.present));
      } else {
        store->presence = presence;
      }
    }
  };
  const std::string ever = fmt::format("count{} (last_over_time({}[{}]))", ByIdentity(table), table.present,
                                       FormatDuration(Milliseconds(fleet.lookback_ms)));
  const std::string now = fmt::format("count{} ({})", ByIdentity(table), table.present);
  std::vector<prometheus_api::Question> questions = {{.promql = ever, .time_ms = fleet.time_ms},
                                                     {.promql = now, .time_ms = fleet.time_ms}};
  if (RateWindowMs(table) > 0)  // of FindSince
    questions.push_back({.promql = WindowQuery(table), .time_ms = fleet.time_ms});
  source.Prepare(std::move(questions));
  const prometheus_api::Reply known = AskPresence(source, ever, fleet);
  const prometheus_api::Reply here = AskPresence(source, now, fleet);
  const bool usable = known.usable() && here.usable();
  // In this order: a store that reports now overwrites its "silent".
  add(known, engine::Cause::kSilent);
  add(here, engine::Cause::kNone);
  if (!usable) {
    // Half of the truth is worse than none: a store that only the failed query would have shown must not read
    // as silent.
    for (Store& store : list.stores()) store.presence = engine::Cause::kPresenceUnknown;
  }
  return usable;
}

void FindSince(const Table& table, prometheus_api::QuerySource& source, StoreList& list, FleetNotes& fleet) {
  FindLastSeen(table, source, list, fleet);
  FindWindows(table, source, list, fleet);
}

}  // namespace outgrown::decision
