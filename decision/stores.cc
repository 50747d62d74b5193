#include "decision/stores.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/duration.h"

namespace outgrown::evaluate {
namespace {

// How exactly the time of falling silent is found; each step costs the server one look at every store.
constexpr std::string_view kLookbackStep = "1m";
// How old a sample may be that an instant still shows: --query.lookback-delta's default.
constexpr std::int64_t kShownMs = 300'000;

std::string By(const Table& table) { return fmt::format("by ({})", fmt::join(table.identity, ", ")); }

bool Whole(const Result<prometheus_api::Answer>& answer) { return answer.ok() && !answer->partial; }

bool IsSought(const StoreSamples& store) {
  return store.presence == decide::Cause::kSilent && !store.last_seen_ms;
}

Result<prometheus_api::Answer> AskPresence(prometheus_api::QuerySource& source, const std::string& promql,
                                           FleetSamples& fleet) {
  fleet.presence_queries.emplace_back();
  return Ask(source, promql, prometheus_api::ResultType::kVector, fleet.presence_queries.back(), fleet);
}

// Since when the silent stores are: back in steps of 26 hours, so that no query costs more than the daily one.
void FindLastSeen(const Table& table, prometheus_api::QuerySource& source, StoreList& list,
                  FleetSamples& fleet) {
  for (std::int64_t back_ms = 0; back_ms < fleet.lookback_ms && std::ranges::any_of(list.stores(), IsSought);
       back_ms += kLookbackMs) {
    const std::int64_t range_ms = std::min(kLookbackMs, fleet.lookback_ms - back_ms);
    const Result<prometheus_api::Answer> seen =
        AskPresence(source,
                    fmt::format("max {} (max_over_time(timestamp({})[{}:{}]{}))", By(table), table.present,
                                FormatDuration(Milliseconds(range_ms)), kLookbackStep,
                                back_ms == 0 ? "" : " offset " + FormatDuration(Milliseconds(back_ms))),
                    fleet);
    if (!Whole(seen)) return;
    const std::int64_t to_ms = fleet.time_ms - back_ms;
    for (const prometheus_api::Series& series : seen->series) {
      StoreSamples* const store = list.Find(series.labels);
      const double time_ms = series.samples.front().value * 1000;
      if (store == nullptr || !IsSought(*store) || !std::isfinite(time_ms)) continue;
      if (time_ms >= static_cast<double>(to_ms - range_ms - kShownMs) &&
          time_ms <= static_cast<double>(to_ms)) {
        store->last_seen_ms = std::llround(time_ms);
      }
    }
  }
}

}  // namespace

StoreSamples* StoreList::FindOrAdd(const prometheus_api::Labels& labels, decide::Cause presence_if_new) {
  Identity identity = IdentityOf(table_, labels);
  return IsWhole(identity) ? &FindOrAdd(std::move(identity), presence_if_new) : nullptr;
}

StoreSamples* StoreList::Find(const prometheus_api::Labels& labels) {
  const std::optional<std::size_t> place = index_.Find(IdentityOf(table_, labels));
  return place ? &stores_[*place] : nullptr;
}

void StoreList::Add(Identity identity) { FindOrAdd(std::move(identity), decide::Cause::kNone); }

StoreSamples& StoreList::FindOrAdd(Identity identity, decide::Cause presence_if_new) {
  const auto [place, added] = index_.FindOrAdd(identity);
  if (added) {
    StoreSamples store;
    store.identity = std::move(identity);
    store.presence = presence_if_new;
    store.signals.resize(table_.signals.size());
    stores_.push_back(std::move(store));
  }
  return stores_[place];
}

Result<prometheus_api::Answer> Ask(prometheus_api::QuerySource& source, const std::string& promql,
                                   prometheus_api::ResultType expected, QueryDone& done,
                                   FleetSamples& fleet) {
  Result<prometheus_api::Answer> answer = source.Query(promql, fleet.time_ms, expected);
  done.promql = promql;
  if (!answer) {
    Fail(done, decide::Cause::kQueryFailed, answer.error().what, fleet);
    return answer;
  }
  fleet.answered = true;
  if (answer->partial) {
    Fail(done, decide::Cause::kPartialAnswer,
         answer->warnings.empty() ? "the answer is partial"
                                  : fmt::format("{}", fmt::join(answer->warnings, "; ")),
         fleet);
  }
  return answer;
}

void Fail(QueryDone& done, decide::Cause cause, std::string problem, FleetSamples& fleet) {
  fleet.warnings.push_back(fmt::format("{}: {}", done.promql, problem));
  done.cause = cause;
  done.problem = std::move(problem);
}

void FindStores(const Table& table, prometheus_api::QuerySource& source, StoreList& list,
                FleetSamples& fleet) {
  const auto add = [&](const Result<prometheus_api::Answer>& answer, decide::Cause presence) {
    if (!answer) return;
    for (const prometheus_api::Series& series : answer->series) {
      StoreSamples* const store = list.FindOrAdd(series.labels, presence);
      if (store == nullptr) {
        fleet.nameless = true;
        fleet.warnings.push_back(
            fmt::format("a series of {} lacks an identity label and names no store", table.present));
      } else {
        store->presence = presence;
      }
    }
  };
  const Result<prometheus_api::Answer> known =
      AskPresence(source,
                  fmt::format("count {} (last_over_time({}[{}]))", By(table), table.present,
                              FormatDuration(Milliseconds(fleet.lookback_ms))),
                  fleet);
  const Result<prometheus_api::Answer> here =
      AskPresence(source, fmt::format("count {} ({})", By(table), table.present), fleet);
  add(known, decide::Cause::kSilent);
  add(here, decide::Cause::kNone);
  if (!Whole(known) || !Whole(here)) {
    for (StoreSamples& store : list.stores()) store.presence = decide::Cause::kPresenceUnknown;
    return;
  }
  FindLastSeen(table, source, list, fleet);
}

}  // namespace outgrown::evaluate
