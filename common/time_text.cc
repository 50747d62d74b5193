#include "common/time_text.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <fmt/format.h>

#include "common/check.h"
#include "common/text.h"

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
  // The whole suffix is compared, so that "ms" is never read as "m" with an "s" left over.
  for (std::size_t i = 0; i < kUnits.size(); ++i) {
    if (kUnits[i].suffix == suffix) return i;
  }
  return kUnits.size();
}

using std::chrono::days;
using std::chrono::milliseconds;

struct Parts {
  int year;
  unsigned month, day;
  std::int64_t hour, minute, second, millisecond;
};

Parts Split(std::int64_t time_ms) {
  // floor, not a cast: before 1970 a cast would round towards the epoch and give the next day's date with a
  // negative time.
  const std::chrono::sys_time<milliseconds> instant{milliseconds(time_ms)};
  const auto midnight = std::chrono::floor<days>(instant);
  const std::chrono::year_month_day date(midnight);
  const std::int64_t of_day = (instant - midnight).count();
  return {static_cast<int>(date.year()),
          static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()),
          of_day / 3'600'000,
          of_day / 60'000 % 60,
          of_day / 1000 % 60,
          of_day % 1000};
}

// Takes exactly `digits` decimal digits from the front of `text`; nothing if they are not there. Not
// from_chars, which takes a minus sign and fewer digits.
std::optional<int> TakeDigits(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (const char digit : text.substr(0, digits)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    value = value * 10 + (digit - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool Take(std::string_view& text, char expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(1);
  return true;
}

// The milliseconds of ".5", ".250" or nothing; further digits are dropped.
std::optional<std::int64_t> TakeFraction(std::string_view& text) {
  if (!Take(text, '.')) return 0;
  std::int64_t value = 0;
  std::size_t digits = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
    if (digits < 3) value = value * 10 + (text[digits] - '0');
  }
  if (digits == 0) return std::nullopt;
  text.remove_prefix(digits);
  for (; digits < 3; ++digits) value *= 10;
  return value;
}

// "Z", "z", "+01:00": milliseconds to subtract.
std::optional<std::int64_t> TakeOffset(std::string_view& text) {
  if (Take(text, 'Z') || Take(text, 'z')) return 0;
  const bool minus = text.starts_with('-');
  if (!minus && !text.starts_with('+')) return std::nullopt;
  text.remove_prefix(1);
  const std::optional<int> hours = TakeDigits(text, 2);
  if (!hours || !Take(text, ':')) return std::nullopt;
  const std::optional<int> minutes = TakeDigits(text, 2);
  if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const std::int64_t offset = (*hours * 60 + *minutes) * 60'000LL;
  return minus ? -offset : offset;
}

std::optional<std::int64_t> ParseRfc3339(std::string_view text) {
  const std::optional<int> year = TakeDigits(text, 4);
  if (!year || !Take(text, '-')) return std::nullopt;
  const std::optional<int> month = TakeDigits(text, 2);
  if (!month || !Take(text, '-')) return std::nullopt;
  const std::optional<int> day = TakeDigits(text, 2);
  if (!day || !(Take(text, 'T') || Take(text, 't') || Take(text, ' '))) return std::nullopt;
  const std::optional<int> hour = TakeDigits(text, 2);
  if (!hour || *hour > 23 || !Take(text, ':')) return std::nullopt;
  const std::optional<int> minute = TakeDigits(text, 2);
  if (!minute || *minute > 59 || !Take(text, ':')) return std::nullopt;
  const std::optional<int> second = TakeDigits(text, 2);
  // RFC 3339 allows second 60 for a leap second; Unix time has none, so it is the first second of the next
  // minute.
  if (!second || *second > 60) return std::nullopt;
  const std::optional<std::int64_t> fraction_ms = TakeFraction(text);
  if (!fraction_ms) return std::nullopt;
  const std::optional<std::int64_t> offset_ms = TakeOffset(text);
  if (!offset_ms || !text.empty()) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  // 31 February and the like, which digits alone don't show.
  if (!date.ok()) return std::nullopt;
  const std::int64_t midnight_ms = milliseconds(std::chrono::sys_days(date).time_since_epoch()).count();
  return midnight_ms + ((*hour * 60LL + *minute) * 60 + *second) * 1000 + *fraction_ms - *offset_ms;
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
    // Divided rather than multiplied: the product could overflow before it is compared.
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
    // Verification compares texts with what Prometheus prints, so the spelling has to be its own.
    if (unit.exact_only && rest % unit.ms != 0) continue;
    if (const std::int64_t count = rest / unit.ms; count > 0) {
      text += std::to_string(count);
      text += unit.suffix;
      rest -= count * unit.ms;
    }
  }
  return text;
}

std::string Rfc3339(std::int64_t time_ms) {
  const Parts parts = Split(time_ms);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.year, parts.month, parts.day,
                     parts.hour, parts.minute, parts.second, parts.millisecond);
}

std::string UtcText(std::int64_t time_ms) {
  const Parts parts = Split(time_ms);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC", parts.year, parts.month, parts.day,
                     parts.hour, parts.minute, parts.second);
}

std::optional<std::int64_t> ParseTime(std::string_view text) {
  if (const std::optional<std::int64_t> time_ms = ParseRfc3339(text)) return time_ms;
  // `!(x >= 0)` refuses NaN as well.
  constexpr double kSecondsMax = 253'402'300'799;  // the end of year 9999
  const std::optional<double> seconds = ParseNumber(text);
  if (!seconds || !(*seconds >= 0) || *seconds > kSecondsMax) return std::nullopt;
  return std::llround(*seconds * 1000);
}

std::string LengthText(std::int64_t length_ms) {
  const std::int64_t seconds = length_ms / 1000;
  // Each unit begins at two of it (minutes, hours, days), so that rounding down loses less than a third.
  if (seconds < 120) return fmt::format("{} s", seconds);
  if (seconds < std::int64_t{2} * 3600) return fmt::format("{} min", seconds / 60);
  if (seconds < std::int64_t{48} * 3600) return fmt::format("{} h", seconds / 3600);
  return fmt::format("{} days", seconds / 86400);
}

std::int64_t NowMs() {
  // The wall clock: it is compared with the times of samples and records. Lengths of time are measured by a
  // steady clock.
  return std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace outgrown
