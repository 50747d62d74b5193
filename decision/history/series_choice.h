// Where a backtest reads each of a spec's signals from: the series that Prometheus recorded, or, where what was recorded
// is not this spec's expression, the expression itself, asked on the rule grid. The latter is an approximation: rules
// are evaluated at other moments of an interval than a range query's points, and late samples are in by now.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "thresholds/model.h"

namespace outgrown::backtest {

struct SeriesChoice {
  std::string title;   // the signal's, or "Coverage"
  std::string expr;    // "": the recorded series
  std::string reason;  // why it is not the recorded series
};

struct SeriesChoices {
  std::vector<SeriesChoice> signals;  // by index of Table::signals
  SeriesChoice coverage;
};

// What is known about the server's recordings.
struct Recordings {
  // The expressions of the recording rules that it has loaded, by series; empty if it doesn't say.
  std::map<std::string, std::string> loaded;
  // Whether it has any sample of that series in the period.
  std::function<bool(const std::string& series)> has_samples;
  // Whether two expressions say the same.
  std::function<bool(const std::string& left, const std::string& right)> same;
};

// The recorded series throughout: what is known where there is no spec but the compiled table.
SeriesChoices AllRecorded(std::size_t signals);

// `reference`: the other spec of a comparison, whose recordings those of the server are taken for where it doesn't say;
// null for the one that is not compared with another.
SeriesChoices ChooseSeries(const spec::Spec& spec, const spec::Spec* reference, const Recordings& recordings);

}  // namespace outgrown::backtest
