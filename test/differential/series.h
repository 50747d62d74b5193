// Random recorded series for the differential proof: what a recording rule may leave behind, drawn to hurt.
//
// Values stand on both sides of the signal's limits, exactly on them and one representable double beside; runs beyond
// a limit last about as long as `for` demands, one evaluation shorter and longer; between them lie gaps, NaN, both
// infinities and drops to zero; one series in eight vanishes for good, and one run in eight is infinite. A counter's reset is not among them: a rate is recorded without a trace of it, which the
// generated tests show.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "decision/engine/window.h"
#include "thresholds/table.h"

namespace outgrown::differential {

// One value an evaluation; nothing where the rule recorded nothing and Prometheus marked the series stale.
using Values = std::vector<std::optional<double>>;

// `count` values for that signal of the table.
Values DrawSignal(const Table& table, std::size_t signal, std::size_t count, std::mt19937_64& random);

// `count` values of the coverage series: mostly complete, at times at, just below and far below the minimum, or gone.
Values DrawCoverage(const Table& table, std::size_t count, std::mt19937_64& random);

// The series as promtool's notation for input series: "0.5 stale NaN 1".
std::string PromtoolValues(const Values& values);

// The samples that a range query at T would give: one at index * interval where there is a value, none after T.
std::vector<Sample> SamplesUpTo(const Values& values, std::int64_t interval_ms, std::int64_t time_ms);

}  // namespace outgrown::differential
