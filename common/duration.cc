#include "common/duration.h"

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "common/check.h"

namespace outgrown {
namespace {

struct DurationUnit {
  std::string_view suffix;
  std::int64_t ms;
  bool exact_only;  // Prometheus prints this unit only if nothing smaller would remain (1w, but 8d)
};

constexpr std::array<DurationUnit, 7> kUnits = {{
    {"y", 365LL * 24 * 3600 * 1000, true},
    {"w", 7LL * 24 * 3600 * 1000, true},
    {"d", 24LL * 3600 * 1000, false},
    {"h", 3600LL * 1000, false},
    {"m", 60LL * 1000, false},
    {"s", 1000, false},
    {"ms", 1, false},
}};

// Go's time.Duration counts nanoseconds in an int64; Prometheus refuses what exceeds it.
constexpr std::int64_t kLongestMs = std::numeric_limits<std::int64_t>::max() / 1'000'000;

// The index of the unit that `text` starts with, after its digits; kUnits.size() if none.
std::size_t UnitIndex(std::string_view suffix) {
  for (std::size_t i = 0; i < kUnits.size(); ++i) {
    if (kUnits[i].suffix == suffix) return i;
  }
  return kUnits.size();
}

}  // namespace

std::optional<Milliseconds> ParseDuration(std::string_view text) {
  if (text == "0") return Milliseconds(0);
  if (text.empty()) return std::nullopt;
  std::int64_t total_ms = 0;
  std::size_t next_unit = 0;
  while (!text.empty()) {
    std::int64_t count = 0;
    if (text.front() < '0' || text.front() > '9') return std::nullopt;
    const std::from_chars_result digits = std::from_chars(text.data(), text.data() + text.size(), count);
    if (digits.ec != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(digits.ptr - text.data()));
    const std::size_t length = std::min(text.find_first_of("0123456789"), text.size());
    const std::size_t unit = UnitIndex(text.substr(0, length));
    if (unit == kUnits.size() || unit < next_unit) return std::nullopt;
    if (count > (kLongestMs - total_ms) / kUnits[unit].ms) return std::nullopt;
    total_ms += count * kUnits[unit].ms;
    next_unit = unit + 1;
    text.remove_prefix(length);
  }
  return Milliseconds(total_ms);
}

std::string FormatDuration(Milliseconds duration) {
  std::int64_t rest = duration.count();
  OUTGROWN_CHECK(rest >= 0);
  if (rest == 0) return "0s";
  std::string text;
  for (const DurationUnit& unit : kUnits) {
    if (unit.exact_only && rest % unit.ms != 0) continue;
    if (const std::int64_t count = rest / unit.ms; count > 0) {
      text += std::to_string(count);
      text += unit.suffix;
      rest -= count * unit.ms;
    }
  }
  return text;
}

}  // namespace outgrown
