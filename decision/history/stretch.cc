#include "decision/history/stretch.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/duration.h"

namespace outgrown::backtest {
namespace {

using decide::Cause;
using prometheus_api::kRangePointsMax;
using prometheus_api::ResultType;

std::string By(const Table& table) { return fmt::format("by ({})", fmt::join(table.identity, ", ")); }

std::int64_t FloorTo(std::int64_t time_ms, std::int64_t step_ms) { return time_ms / step_ms * step_ms; }

}  // namespace

Store* Fleet::FindOrAdd(const prometheus_api::Labels& labels) {
  evaluate::Identity identity = evaluate::IdentityOf(table_, labels);
  if (!evaluate::IsWhole(identity)) return nullptr;
  const auto [place, added] = index_.FindOrAdd(identity);
  if (added) {
    Store& store = stores_.emplace_back();
    store.identity = std::move(identity);
    store.signals.resize(table_.signals.size());
  }
  return &stores_[place];
}

void Fleet::Warn(const std::string& promql, const std::string& problem) {
  std::string warning = fmt::format("{}: {}", promql, problem);
  if (std::ranges::find(sink_.warnings, warning) == sink_.warnings.end())
    sink_.warnings.push_back(std::move(warning));
}

Cause Fleet::Judge(const std::string& promql, const Answer& answer) {
  if (!answer) {
    Warn(promql, answer.error().what);
    return Cause::kQueryFailed;
  }
  sink_.answered = true;
  if (!answer->partial) return Cause::kNone;
  Warn(promql, answer->warnings.empty() ? "the answer is partial"
                                        : fmt::format("{}", fmt::join(answer->warnings, "; ")));
  return Cause::kPartialAnswer;
}

void Fleet::FindEarlier() {
  const std::string earlier =
      fmt::format("max {} (max_over_time(timestamp({})[26h:1m]))", By(table_), table_.present);
  const Answer seen = source_.Query(earlier, grid_.from_ms, ResultType::kVector);
  if (Judge(earlier, seen) != Cause::kQueryFailed) {
    for (const prometheus_api::Series& series : seen->series) {
      const double seconds = series.samples.front().value;
      Store* const store = FindOrAdd(series.labels);
      if (store != nullptr && std::isfinite(seconds)) store->last_seen_ms = std::llround(seconds * 1000);
    }
  }
  const std::string late =
      fmt::format("count(count {} (last_over_time({}[26h])))", By(table_), table_.present);
  const Answer count = source_.Query(late, grid_.to_ms, ResultType::kVector);
  expected_stores_ = std::max<std::size_t>(1, stores_.size());
  if (Judge(late, count) == Cause::kNone && !count->series.empty()) {
    const double stores = count->series.front().samples.front().value;
    if (stores >= 0 && stores < 1e9)
      expected_stores_ = std::max(expected_stores_, static_cast<std::size_t>(stores));
  }
}

std::int64_t Fleet::InstantsMax() const {
  const auto stores = static_cast<std::int64_t>(std::max(expected_stores_, stores_.size()));
  const std::int64_t history_ms =
      stores <= static_cast<std::int64_t>(evaluate::kDetailedStoresMax) ? evaluate::kHistoryMs : 0;
  const std::int64_t samples_ms = evaluate::kSamplesMax / stores * table_.interval_ms;
  const std::int64_t room_ms = samples_ms - evaluate::CoverageWindowMs(table_) - history_ms;
  return std::clamp<std::int64_t>(room_ms / grid_.step_ms, 1, kRangePointsMax);
}

void Fleet::FetchPresence(const Stretch& stretch) {
  for (Store& store : stores_) store.seen.clear();
  const std::string promql = fmt::format("max {} (timestamp({}))", By(table_), table_.present);
  const Answer answer =
      source_.QueryRange(promql, grid_.At(stretch.first), grid_.At(stretch.last), grid_.step_ms);
  presence_known_ = Judge(promql, answer) == Cause::kNone;
  if (!answer) return;
  for (const prometheus_api::Series& series : answer->series) {
    Store* const store = FindOrAdd(series.labels);
    if (store == nullptr) {
      Warn(promql, "a series lacks an identity label and names no store");
    } else {
      store->seen = series.samples;
    }
  }
}

Cause Fleet::AskRecorded(const Stretch& stretch, std::string_view series, std::int64_t range_ms,
                         prometheus_api::Answer& answer) {
  const std::int64_t time_ms = grid_.At(stretch.last);
  const std::int64_t whole_ms = range_ms + time_ms - grid_.At(stretch.first);
  const std::string promql = fmt::format("{}[{}]", series, FormatDuration(Milliseconds(whole_ms)));
  Answer whole = source_.Query(promql, time_ms, ResultType::kMatrix);
  if (const Cause cause = Judge(promql, whole); cause != Cause::kNone) return cause;
  if (const std::string misfit = evaluate::Misfit(*whole, series, time_ms, whole_ms); !misfit.empty()) {
    Warn(promql, misfit);
    return Cause::kQueryFailed;
  }
  answer = std::move(*whole);
  return Cause::kNone;
}

Cause Fleet::AskRaw(const Stretch& stretch, const std::string& expr, std::int64_t window_ms,
                    prometheus_api::Answer& answer) {
  const std::int64_t step_ms = table_.interval_ms;
  const std::int64_t to_ms = FloorTo(grid_.At(stretch.last), step_ms);
  std::int64_t from_ms = FloorTo(grid_.At(stretch.first) - window_ms, step_ms);
  while (from_ms <= to_ms) {
    const std::int64_t until_ms = std::min(to_ms, from_ms + (kRangePointsMax - 1) * step_ms);
    Answer part = source_.QueryRange(expr, from_ms, until_ms, step_ms);
    if (const Cause cause = Judge(expr, part); cause != Cause::kNone) return cause;
    for (prometheus_api::Series& series : part->series) answer.series.push_back(std::move(series));
    from_ms = until_ms + step_ms;
  }
  return Cause::kNone;
}

template <typename FetchedOf>
void Fleet::FetchSeries(const Stretch& stretch, const SeriesChoice& choice, std::string_view series,
                        std::int64_t window_ms, FetchedOf fetched_of) {
  for (Store& store : stores_) fetched_of(store) = {};
  prometheus_api::Answer answer;
  const std::int64_t history_ms = stores_.size() <= evaluate::kDetailedStoresMax ? evaluate::kHistoryMs : 0;
  const Cause cause = choice.expr.empty() ? AskRecorded(stretch, series, window_ms + history_ms, answer)
                                          : AskRaw(stretch, choice.expr, window_ms, answer);
  std::size_t strangers = 0;
  for (prometheus_api::Series& one : answer.series) {
    Store* const store = FindOrAdd(one.labels);
    if (store == nullptr) {
      ++strangers;
    } else {
      fetched_of(*store).series.push_back(std::move(one.samples));
    }
  }
  if (strangers > 0) {
    Warn(std::string(series), fmt::format("{} series lack an identity label and name no store", strangers));
  }
  if (cause == Cause::kNone) return;
  for (Store& store : stores_) fetched_of(store).cause = cause;
}

void Fleet::Fetch(const Stretch& stretch) {
  FetchPresence(stretch);
  for (std::size_t signal = 0; signal < table_.signals.size(); ++signal) {
    FetchSeries(stretch, choices_.signals[signal], table_.signals[signal].series,
                evaluate::WindowMs(table_, signal),
                [signal](Store& store) -> Fetched& { return store.signals[signal]; });
  }
  if (!table_.coverage_series.empty()) {
    FetchSeries(stretch, choices_.coverage, table_.coverage_series, evaluate::CoverageWindowMs(table_),
                [](Store& store) -> Fetched& { return store.coverage; });
  }
}

}  // namespace outgrown::backtest
