#include "test/differential/series.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/text.h"

namespace outgrown::differential {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// True once in `n`.
bool OneIn(int n, std::mt19937_64& random) { return std::uniform_int_distribution<int>(1, n)(random) == 1; }

std::size_t Between(std::size_t low, std::size_t high, std::mt19937_64& random) {
  return std::uniform_int_distribution<std::size_t>(low, high)(random);
}

// A value about a limit: on it, beside it by one representable double, well beyond, well within, or zero.
double DrawValue(double limit, std::mt19937_64& random) {
  switch (Between(0, 6, random)) {
    case 0:
      return limit;
    case 1:
      return std::nextafter(limit, kInfinity);
    case 2:
      return std::nextafter(limit, -kInfinity);
    case 3:
      return limit * 2;
    case 4:
      return limit / 2;
    case 5:
      return 0;
    default:
      return std::uniform_real_distribution<double>(0, 2 * limit)(random);
  }
}

// What interrupts a run: a gap, NaN, an infinity, or the limit itself.
std::optional<double> DrawCut(double limit, std::mt19937_64& random) {
  switch (Between(0, 5, random)) {
    case 0:
    case 1:
      return std::nullopt;
    case 2:
      return std::numeric_limits<double>::quiet_NaN();
    case 3:
      return OneIn(2, random) ? kInfinity : -kInfinity;
    default:
      return limit;
  }
}

// How many evaluations a run lasts: often about the evaluations that a threshold's `for` needs.
std::size_t DrawRunLength(const Table& table, const ThresholdRow& threshold, std::mt19937_64& random) {
  const auto needed = static_cast<std::size_t>(threshold.hold_ms / table.interval_ms) + 1;
  if (OneIn(3, random)) return Between(1, 3, random);
  return needed + Between(0, 4, random) - std::min<std::size_t>(needed - 1, 2);
}

}  // namespace

Values DrawSignal(const Table& table, std::size_t signal, std::size_t count, std::mt19937_64& random) {
  std::vector<const ThresholdRow*> thresholds;
  for (const ThresholdRow& threshold : table.thresholds) {
    if (threshold.signal == signal) thresholds.push_back(&threshold);
  }
  Values values;
  while (values.size() < count) {
    const ThresholdRow& threshold = *thresholds[Between(0, thresholds.size() - 1, random)];
    const std::size_t length = DrawRunLength(table, threshold, random);
    // One side of the limit for the whole run, or anything. One run in three is cut once, however long it is, so that
    // long ones come whole as well.
    const std::size_t kind = Between(0, 9, random);
    const std::size_t cut = OneIn(3, random) ? Between(0, length - 1, random) : length;
    const bool infinite = kind < 6 && OneIn(8, random);
    for (std::size_t i = 0; i < length; ++i) {
      double value = DrawValue(threshold.limit, random);
      if (infinite) value = threshold.direction == Direction::kAbove ? kInfinity : -kInfinity;
      if (kind < 6) {
        while (!engine::Beyond(threshold, value)) value = DrawValue(threshold.limit, random);
      } else if (kind < 8) {
        while (engine::Beyond(threshold, value)) value = DrawValue(threshold.limit, random);
      }
      values.push_back(i == cut ? DrawCut(threshold.limit, random) : value);
    }
    if (OneIn(6, random)) values.insert(values.end(), Between(1, 4, random), std::nullopt);
  }
  values.resize(count);
  // Its exporter dies, or it is renamed: gone until the end.
  if (OneIn(8, random)) {
    const std::size_t end = Between(count / 4, count - 1, random);
    std::fill(values.begin() + static_cast<std::ptrdiff_t>(end), values.end(), std::nullopt);
  }
  return values;
}

Values DrawCoverage(const Table& table, std::size_t count, std::mt19937_64& random) {
  Values values(count, 1.0);
  if (OneIn(3, random)) {
    const double low = OneIn(2, random) ? std::nextafter(table.coverage_minimum, 0.0) : 0.3;
    const std::size_t start = Between(0, count - 1, random);
    const std::size_t end = std::min(count, start + Between(1, 30, random));
    std::fill(values.begin() + static_cast<std::ptrdiff_t>(start),
              values.begin() + static_cast<std::ptrdiff_t>(end),
              OneIn(3, random) ? std::optional<double>() : low);
  } else if (OneIn(2, random)) {
    std::ranges::fill(values, table.coverage_minimum);
  }
  return values;
}

std::string PromtoolValues(const Values& values) {
  std::string text;
  for (const std::optional<double>& value : values) {
    if (!text.empty()) text += ' ';
    text += value.has_value() ? ExactNumber(*value) : "stale";
  }
  return text;
}

std::vector<Sample> SamplesUpTo(const Values& values, std::int64_t interval_ms, std::int64_t time_ms) {
  std::vector<Sample> samples;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::int64_t at_ms = static_cast<std::int64_t>(i) * interval_ms;
    if (at_ms > time_ms) break;
    if (values[i].has_value()) samples.push_back({.time_ms = at_ms, .value = *values[i]});
  }
  return samples;
}

}  // namespace outgrown::differential
