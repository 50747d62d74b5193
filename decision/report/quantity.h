// Values in their signal's unit, as reports print them.
#pragma once

#include <string>

#include "thresholds/table.h"

namespace outgrown::decision {

// Three significant digits at least, in the unit's usual multiple: 0.0231 ratio "2.31 %", 84.2 per second "84.2",
// 0.038 s "38 ms", 5368709120 bytes "5 GB" (1024³), 2 "2".
std::string QuantityText(double value, Unit unit);

struct ValueAndLimit {
  std::string value;
  std::string limit;
};

// The same for a value and its limit, each with as many more digits as it takes for them to differ: 80.0001
// beyond 80 doesn't read as 80. Equal texts only for equal values.
ValueAndLimit ValueAndLimitText(double value, double limit, Unit unit);

}  // namespace outgrown::decision
