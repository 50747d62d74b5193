// Which series a backtest reads: what the server has recorded, or the spec's expressions.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "decision/history/timeline.h"
#include "decision/measure/measure.h"
#include "prometheus/prometheus_client.h"
#include "thresholds/model.h"

namespace outgrown::history {

using decision::SeriesChoice;
using decision::SeriesChoices;

// What is known about the server's recordings.
struct Recordings {
  // The expressions of the recording rules that it has loaded, by series; empty if it doesn't say. Several of one series
  // where an older version's rules are loaded too.
  std::map<std::string, std::set<std::string>> loaded;
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

}  // namespace outgrown::history
