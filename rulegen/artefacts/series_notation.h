// promtool's notation of series ("0+1x80 _x4 stale"), as far as generated tests change it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace outgrown::plan {

// One value an interval; nothing where the notation has a gap ("_") or a staleness mark.
using SeriesValues = std::vector<std::optional<double>>;

// Expands "a+bxn", "a-bxn", "axn", "a", "_", "_xn", "stale". Nothing if it is something else, or more than
// 10^6 values. Source: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
std::optional<SeriesValues> ExpandSeries(std::string_view notation);

// The inverse, in as few words as it can find. "stale" becomes a gap.
std::string WriteSeries(const SeriesValues& values);

// The counter with a reset: from index `at` on it counts from 0, as after a restart, with the same increases.
SeriesValues WithReset(SeriesValues values, std::size_t at);

}  // namespace outgrown::plan
