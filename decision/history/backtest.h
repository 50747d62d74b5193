// --backtest: the verdict that --evaluate would have given at every instant of a period, for every store.
//
// Fetching, reading and deciding are --evaluate's own (decision/measure.h), so that at each instant both say
// the same. Only two things are coarser: between two instants a store's last sign of life is known to one
// step, and one that vanished before the period is found to a minute.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/result.h"
#include "decision/history/timeline.h"
#include "decision/measure.h"
#include "prometheus/prometheus_client.h"
#include "thresholds/model.h"
#include "thresholds/table.h"

namespace outgrown::history {

using decision::SeriesChoice;
using decision::SeriesChoices;

// What is known about the server's recordings.
struct Recordings {
  // The expressions of the recording rules that it has loaded, by series; empty if it doesn't say.
  std::map<std::string, std::string> loaded;
  // Whether it has any sample of that series in the period.
  std::function<bool(const std::string& series)> has_samples;
  // Whether two expressions say the same.
  std::function<bool(const std::string& left, const std::string& right)> same;
};

// Where each of a spec's signals is read from: the series that was recorded, or, where what was recorded is
// not this spec's expression, the expression itself, asked on the rule grid. The latter is an approximation:
// rules are evaluated at other moments of an interval than a range query's points, and late samples are in by
// now. `reference`: the other spec of a comparison, whose recordings those of the server are taken for where
// it doesn't say; null for the one that is not compared with another.
SeriesChoices ChooseSeries(const spec::Spec& spec, const spec::Spec* reference, const Recordings& recordings);

// Whether the period has any sample of the series, asked in some fifty steps. Yes as well where that isn't
// known for lack of a whole answer: the walk over the period then says what is missing.
bool HasSamples(prometheus_api::QuerySource& source, const Grid& grid, const std::string& series);

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
