// What the text report says of each signal, before it is fitted to where it goes.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "decision/evaluation.h"
#include "decision/report/report_parts.h"

namespace outgrown::decision {

// One signal's part of the answer.
struct SignalRowText {
  std::string title;  // "Write errors"
  std::string value;  // "2.31 %", "-" if it is not known
  std::string limit;  // "limit 1 %"; "" if the signal has no threshold, and then there is no bar
  std::string state;  // "breached for 12 min", "writes go uncounted", ""
  std::string trend;  // "100 in about 4 days", "in about 41 days", "no trend", "" if it was not asked for
  bool trend_reached = false;
  double fill = 0;  // the value's share of its limit: 1 at the limit; 0 if it is not known
  engine::State worst = engine::State::kNotBreached;  // of the signal's thresholds
  Colour breach = Colour::kNone;                      // of the shown threshold's verdict
};

// A row for each signal, in table order.
std::vector<SignalRowText> SignalRows(const Evaluation& evaluation, const StoreDecision& store);

// How long until a limit is reached, rounded to the nearest: "within the hour", "in about 5 h", "in about 41 days".
std::string ReachedText(double seconds);

// The threshold whose limit is reached first of all; kNoThreshold if none is within a year.
std::size_t SoonestThreshold(const StoreDecision& store);

// The same in words: "File size 5 GB in about 41 days"; "" if none is within a year.
std::string SoonestTrend(const Table& table, const StoreDecision& store);

}  // namespace outgrown::decision
