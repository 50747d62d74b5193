// Trend: when each limit, and each store's own ceiling, is reached if the last days continue. It is only shown: no verdict,
// no record and no exit status depends on it.
//
// Prometheus computes it (predict_linear, deriv); this file only classifies it. One query a signal for all stores, and one
// more a signal with a ceiling.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "decision/measure/stores.h"
#include "prometheus/prometheus_client.h"
#include "thresholds/table.h"

namespace outgrown::decision {

enum class TrendKind : std::uint8_t {
  kReached,         // the straight line through the last days meets the limit, or the ceiling, within a year
  kLater,           // it does so later
  kNotApproaching,  // it leads away from the limit or lies beyond it, is level, or fits the values badly
  kTooLittleHistory,  // the recorded series does not reach far enough back
  kUnknown,           // the query was not answered, or not clearly
};

struct Trend {
  TrendKind kind = TrendKind::kUnknown;
  double reached_in_seconds = 0;  // from T; of kReached
};

// "reached", "later", "not_approaching", "too_little_history", "unknown": the names in JSON.
std::string_view TrendId(TrendKind kind);

// The straight line is laid through this much.
inline constexpr std::int64_t kTrendMs = 3 * 86'400'000LL;
// The share of the values' variance that the line must explain. Noise and the rhythm of day and night stay below it.
inline constexpr double kTrendFitMin = 0.5;
// Each query reads three days of one signal of every store, so that with more stores than these none is asked.
inline constexpr std::size_t kTrendStoresMax = 500;

// The query about one signal: for each of its thresholds the seconds until the limit is reached, and how well the
// line fits, for the stores whose history reaches back far enough.
std::string TrendQuery(const Table& table, std::size_t signal);

// What is asked about one signal: by store, for each threshold of the table the trend if it is about this
// signal. A store that is not there has too little history. An error says why there is no answer.
Result<std::map<Identity, std::vector<Trend>>> FetchTrends(const Table& table, std::size_t signal,
                                                           prometheus_api::QuerySource& source,
                                                           std::int64_t time_ms);

// The same about the headroom below a store's own ceiling: the line is laid through the signal's share of the ceiling, a
// signal too, and the limit is 1. For signals that have a ceiling.
std::string CeilingTrendQuery(const Table& table, std::size_t signal);
Result<std::map<Identity, Trend>> FetchCeilingTrends(const Table& table, std::size_t signal,
                                                     prometheus_api::QuerySource& source,
                                                     std::int64_t time_ms);

}  // namespace outgrown::decision
