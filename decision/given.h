// --measurements: the values of a store's signals given by hand, as JSON. One object, signal id to number,
//   {"write_error_ratio": 0.02, "writes_per_second": 12}
// or a list of them, each with an optional member "labels" that names the store: {"labels": {"database": "a"}, ...}.
// A signal that is left out, or null, is unknown; a negative value is an error, and so are two stores of the
// same labels.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/result.h"
#include "thresholds/table.h"

namespace outgrown::decision {

// What names a store.
using Labels = std::vector<std::pair<std::string, std::string>>;

struct GivenStore {
  Labels labels;               // in the order given
  std::vector<double> values;  // by index of Table::signals; NaN: not given
};

// The stores given for each of `tables`, by index. An object belongs to the one table that knows all of its signals;
// an error if there is none or more than one. `where` names the file in errors.
Result<std::vector<std::vector<GivenStore>>> ReadGiven(std::span<const Table* const> tables,
                                                       std::string_view text, std::string_view where);

}  // namespace outgrown::decision
