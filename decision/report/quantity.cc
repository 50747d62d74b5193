#include "decision/report/quantity.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include "common/text.h"

namespace outgrown::decision {
namespace {

// Three significant digits and `more`, or all of a larger number's whole digits and `more`; without trailing zeros.
std::string Short(double value, int more) {
  if (!std::isfinite(value)) return ExactNumber(value);
  const double size = std::abs(value);
  // Beyond these, fixed notation would show only zeros, or digits that a double doesn't have.
  if (size != 0 && (size < 1e-4 || size >= 1e15)) return fmt::format("{:.{}g}", value, 3 + more);
  const int decimals = size >= 100    ? 0
                       : size >= 10   ? 1
                       : size >= 1    ? 2
                       : size >= 0.1  ? 3
                       : size >= 0.01 ? 4
                                      : 6;
  std::string text = fmt::format("{:.{}f}", value, decimals + more);
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
  }
  return text == "-0" ? "0" : text;
}

// In the largest of the units, each `factor` of the one before, of which it is one at least; rounding counts, so that
// 1023.9999 MB are 1 GB where no more digits are shown.
std::string InUnit(double value, double factor, std::span<const std::string_view> units, int more) {
  const std::string carried = Short(factor, 0);
  std::size_t unit = 0;
  std::string text = Short(value, more);
  while (unit + 1 < units.size() && (std::abs(value) >= factor || text == carried || text == "-" + carried)) {
    value /= factor;
    ++unit;
    text = Short(value, more);
  }
  return fmt::format("{} {}", text, units[unit]);
}

std::string Seconds(double value, int more) {
  constexpr std::array<std::string_view, 3> kUnits = {"µs", "ms", "s"};
  // Latencies are usually milliseconds; "0 µs" would be a precision that nobody measured.
  if (value == 0) return "0 ms";
  return InUnit(value * 1e6, 1000, kUnits, more);
}

std::string Text(double value, Unit unit, int more) {
  constexpr std::array<std::string_view, 6> kBytes = {"B", "KB", "MB", "GB", "TB", "PB"};
  switch (unit) {
    case Unit::kRatio:
      return fmt::format("{} %", Short(value * 100, more));
    case Unit::kSeconds:
      return Seconds(value, more);
    case Unit::kBytes:
      return InUnit(value, 1024, kBytes, more);
    case Unit::kPerSecond:
    case Unit::kCount:
      break;
  }
  return Short(value, more);
}

// As the spec has it, to the last digit.
std::string Exact(double value, Unit unit) {
  const std::string_view suffix = unit == Unit::kSeconds ? " s" : unit == Unit::kBytes ? " B" : "";
  return ExactNumber(value) + std::string(suffix);
}

}  // namespace

std::string QuantityText(double value, Unit unit) { return Text(value, unit, 0); }

ValueAndLimit ValueAndLimitText(double value, double limit, Unit unit) {
  // A double has 17 significant digits at most.
  constexpr int kMoreMax = 15;
  // As few more digits as make the two differ, so that "80 above the limit 80" is never printed.
  for (int more = 0; more <= kMoreMax; ++more) {
    ValueAndLimit texts = {Text(value, unit, more), Text(limit, unit, more)};
    if (value == limit || texts.value != texts.limit) return texts;
  }
  return {Exact(value, unit),
          Exact(limit, unit)};  // they differ by less than the unit's conversion is exact to
}

}  // namespace outgrown::decision
