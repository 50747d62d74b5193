// --backtest: the verdict that --evaluate would have given at every instant of a period, for every store.
//
// Fetching, reading and deciding are --evaluate's own (decision/measure.h), so that at each instant both say
// the same. Only two things are coarser: between two instants a store's last sign of life is known to one
// step, and one that vanished before the period is found to a minute.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/result.h"
#include "decision/history/series_choice.h"
#include "decision/history/timeline.h"
#include "decision/measure/measure.h"
#include "prometheus/prometheus_client.h"
#include "thresholds/table.h"

namespace outgrown::history {

struct Backtest {
  const Table* table = nullptr;
  std::string spec;    // the file's name; "" for the compiled table
  std::string server;  // the URL
  Grid grid;
  SeriesChoices choices;
  std::vector<StoreTimeline> stores;  // by identity
  std::vector<std::string> warnings;
  bool answered = false;  // at least one query was
};

// More intervals than this, over all stores, are an error that asks for a larger step.
inline constexpr std::size_t kIntervalsMax = 1'000'000;

// How many of how many instants are done.
using Progress = std::function<void(std::int64_t done, std::int64_t all)>;

// Fills the members from `stores` on; the ones before are the question. What could not be asked is UNDETERMINED.
Result<void> Run(Backtest& backtest, prometheus_api::QuerySource& source, const Progress& progress);

}  // namespace outgrown::history
