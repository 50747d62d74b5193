#include "rulegen/evaluate/stores.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace outgrown::evaluate {
namespace {

// A day, as the timer's decisions are apart, and two hours for a late one.
constexpr std::string_view kLookback = "26h";
// How exactly the time of falling silent is found; each step costs the server one look at every store.
constexpr std::string_view kLookbackStep = "1m";

}  // namespace

StoreSamples* StoreList::FindOrAdd(const prometheus_api::Labels& labels, decide::Cause presence_if_new) {
  std::vector<std::string> identity;
  for (const std::string_view name : table_.identity) {
    const std::string_view value = prometheus_api::LabelValue(labels, name);
    if (value.empty()) return nullptr;
    identity.emplace_back(value);
  }
  return &FindOrAdd(std::move(identity), presence_if_new);
}

void StoreList::Add(std::vector<std::string> identity) {
  FindOrAdd(std::move(identity), decide::Cause::kNone);
}

StoreSamples& StoreList::FindOrAdd(std::vector<std::string> identity, decide::Cause presence_if_new) {
  std::string key;
  for (const std::string& value : identity) {
    key += value;
    key += '\xFF';  // in no UTF-8, so in no label value
  }
  const auto [found, added] = index_.try_emplace(std::move(key), stores_.size());
  if (added) {
    StoreSamples store;
    store.identity = std::move(identity);
    store.presence = presence_if_new;
    store.signals.resize(table_.signals.size());
    stores_.push_back(std::move(store));
  }
  return stores_[found->second];
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
  const std::string by = fmt::format("by ({})", fmt::join(table.identity, ", "));
  const auto ask = [&](const std::string& promql) {
    fleet.presence_queries.emplace_back();
    return Ask(source, promql, prometheus_api::ResultType::kVector, fleet.presence_queries.back(), fleet);
  };
  const auto add = [&](const Result<prometheus_api::Answer>& answer, decide::Cause presence) {
    if (!answer) return;
    for (const prometheus_api::Series& series : answer->series) {
      StoreSamples* const store = list.FindOrAdd(series.labels, presence);
      if (store == nullptr) {
        fleet.warnings.push_back(
            fmt::format("a series of {} lacks an identity label and names no store", table.present));
      } else {
        store->presence = presence;
      }
    }
  };
  const Result<prometheus_api::Answer> known =
      ask(fmt::format("count {} (last_over_time({}[{}]))", by, table.present, kLookback));
  const Result<prometheus_api::Answer> here = ask(fmt::format("count {} ({})", by, table.present));
  add(known, decide::Cause::kSilent);
  add(here, decide::Cause::kNone);
  const auto whole = [](const Result<prometheus_api::Answer>& answer) {
    return answer.ok() && !answer->partial;
  };
  if (!whole(known) || !whole(here)) {
    for (StoreSamples& store : list.stores()) store.presence = decide::Cause::kPresenceUnknown;
    return;
  }
  const bool any_silent = std::ranges::any_of(
      list.stores(), [](const StoreSamples& store) { return store.presence == decide::Cause::kSilent; });
  if (!any_silent) return;
  const Result<prometheus_api::Answer> seen = ask(fmt::format("max {} (max_over_time(timestamp({})[{}:{}]))",
                                                              by, table.present, kLookback, kLookbackStep));
  if (!seen) return;
  for (const prometheus_api::Series& series : seen->series) {
    StoreSamples* const store = list.FindOrAdd(series.labels, decide::Cause::kSilent);
    const double seconds = series.samples.front().value;
    if (store == nullptr || store->presence != decide::Cause::kSilent) continue;
    if (std::isfinite(seconds) && seconds >= 0 && seconds * 1000 <= static_cast<double>(fleet.time_ms)) {
      store->last_seen_ms = std::llround(seconds * 1000);
    }
  }
}

}  // namespace outgrown::evaluate
