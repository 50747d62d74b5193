// The signals of one store as rows of words: the value, its limit, since when it is beyond, and the trend.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "decision/evaluation.h"

namespace outgrown::report {

// One signal's part of the answer.
struct SignalRowText {
  std::string title;  // "Write errors"
  std::string value;  // "2.31 %", "-" if it is not known
  std::string limit;  // "limit 1 %"
  std::string state;  // "breached for 12 min", "writes go uncounted", ""
  std::string trend;  // "100 in about 4 days", "in about 41 days", "no trend", "" if it was not asked for
  bool trend_reached = false;
  double fill = 0;  // the value's share of its limit: 1 at the limit; 0 if it is not known
  decide::State worst = decide::State::kNotBreached;  // of the signal's thresholds
};

// A row for each signal that has a threshold, in table order.
std::vector<SignalRowText> SignalRows(const evaluate::Evaluation& evaluation,
                                      const evaluate::StoreDecision& store);

// How long until a limit is reached, rounded to the nearest: "within the hour", "in about 5 h", "in about 41 days".
std::string ReachedText(double seconds);

// The threshold whose limit is reached first of all; kNoThreshold if none is within a year.
std::size_t SoonestThreshold(const evaluate::StoreDecision& store);

// The same in words: "File size 5 GB in about 41 days"; "" if none is within a year.
std::string SoonestTrend(const Table& table, const evaluate::StoreDecision& store);

}  // namespace outgrown::report
