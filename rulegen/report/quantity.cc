#include "rulegen/report/quantity.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <string_view>

#include <fmt/format.h>

#include "common/number.h"

namespace outgrown::report {
namespace {

// Three significant digits, or all of a larger number's whole digits; without trailing zeros.
std::string Short(double value) {
  if (!std::isfinite(value)) return ExactNumber(value);
  const double size = std::abs(value);
  if (size != 0 && (size < 1e-4 || size >= 1e15)) return fmt::format("{:.3g}", value);
  const int decimals = size >= 100    ? 0
                       : size >= 10   ? 1
                       : size >= 1    ? 2
                       : size >= 0.1  ? 3
                       : size >= 0.01 ? 4
                                      : 6;
  std::string text = fmt::format("{:.{}f}", value, decimals);
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
  }
  return text == "-0" ? "0" : text;
}

std::string Bytes(double value) {
  constexpr std::array<std::string_view, 6> kUnits = {"B", "KB", "MB", "GB", "TB", "PB"};
  std::size_t unit = 0;
  while (std::abs(value) >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{} {}", Short(value), kUnits[unit]);
}

std::string Seconds(double value) {
  const double size = std::abs(value);
  if (size == 0) return "0 ms";
  if (size < 1e-3) return fmt::format("{} µs", Short(value * 1e6));
  if (size < 1) return fmt::format("{} ms", Short(value * 1e3));
  return fmt::format("{} s", Short(value));
}

}  // namespace

std::string QuantityText(double value, Unit unit) {
  switch (unit) {
    case Unit::kRatio:
      return fmt::format("{} %", Short(value * 100));
    case Unit::kSeconds:
      return Seconds(value);
    case Unit::kBytes:
      return Bytes(value);
    case Unit::kPerSecond:
    case Unit::kCount:
      break;
  }
  return Short(value);
}

}  // namespace outgrown::report
