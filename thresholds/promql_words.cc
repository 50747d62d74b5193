#include "thresholds/promql_words.h"

#include <algorithm>
#include <array>

namespace outgrown::spec {
namespace {

// Source: https://prometheus.io/docs/prometheus/2.42/querying/functions/ without holt_winters, which 3.0 renamed.
constexpr auto kFunctions = std::to_array<std::string_view>({
    "abs",
    "absent",
    "absent_over_time",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "avg_over_time",
    "ceil",
    "changes",
    "clamp",
    "clamp_max",
    "clamp_min",
    "cos",
    "cosh",
    "count_over_time",
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "days_in_month",
    "deg",
    "delta",
    "deriv",
    "exp",
    "floor",
    "histogram_count",
    "histogram_fraction",
    "histogram_quantile",
    "histogram_sum",
    "hour",
    "idelta",
    "increase",
    "irate",
    "label_join",
    "label_replace",
    "last_over_time",
    "ln",
    "log10",
    "log2",
    "max_over_time",
    "min_over_time",
    "minute",
    "month",
    "pi",
    "predict_linear",
    "present_over_time",
    "quantile_over_time",
    "rad",
    "rate",
    "resets",
    "round",
    "scalar",
    "sgn",
    "sin",
    "sinh",
    "sort",
    "sort_desc",
    "sqrt",
    "stddev_over_time",
    "stdvar_over_time",
    "sum_over_time",
    "tan",
    "tanh",
    "time",
    "timestamp",
    "vector",
    "year",
});
// Asked of Debian 12's VictoriaMetrics 1.79, function by function.
constexpr auto kNotInVictoriaMetrics = std::to_array<std::string_view>(
    {"day_of_year", "histogram_count", "histogram_fraction", "histogram_sum"});
constexpr auto kAggregations = std::to_array<std::string_view>({
    "avg",
    "bottomk",
    "count",
    "count_values",
    "group",
    "max",
    "min",
    "quantile",
    "stddev",
    "stdvar",
    "sum",
    "topk",
});
constexpr auto kGroupings =
    std::to_array<std::string_view>({"by", "without", "on", "ignoring", "group_left", "group_right"});
// Words that name nothing; all in lower case, in which PromQL's keywords may be written or not.
constexpr auto kKeywords = std::to_array<std::string_view>(
    {"and", "or", "unless", "atan2", "bool", "offset", "inf", "nan", "start", "end"});

bool Contains(const auto& list, std::string_view name) { return std::ranges::find(list, name) != list.end(); }

}  // namespace

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::span<const std::string_view> FunctionNames() { return kFunctions; }

bool IsInVictoriaMetrics(std::string_view function) { return !Contains(kNotInVictoriaMetrics, function); }

bool IsAggregation(std::string_view name) { return Contains(kAggregations, LowerCase(name)); }

bool IsGrouping(std::string_view name) { return Contains(kGroupings, LowerCase(name)); }

bool IsKeyword(std::string_view name) { return Contains(kKeywords, LowerCase(name)); }

}  // namespace outgrown::spec
