#include "common/time_text.h"

#include <cstdint>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

using namespace outgrown;  // NOLINT(google-build-using-namespace): a test

TEST_CASE("Prometheus' durations are read, and written as Prometheus writes them") {
  struct Row {
    std::string_view text;
    long long ms;
    std::string_view canonical;
  };
  constexpr Row kRows[] = {
      {"0", 0, "0s"},
      {"0s", 0, "0s"},
      {"15s", 15'000, "15s"},
      {"90s", 90'000, "1m30s"},
      {"60s", 60'000, "1m"},
      {"5m", 300'000, "5m"},
      {"1h30m", 5'400'000, "1h30m"},
      {"7d", 604'800'000, "1w"},
      {"8d", 691'200'000, "8d"},
      {"1500ms", 1'500, "1s500ms"},
      {"1y", 31'536'000'000, "1y"},
      {"26h", 93'600'000, "1d2h"},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.text);
    REQUIRE(ParseDuration(row.text).has_value());
    CHECK(ParseDuration(row.text)->count() == row.ms);
    CHECK(FormatDuration(Milliseconds(row.ms)) == row.canonical);
  }
}

TEST_CASE("what Prometheus refuses as a duration is refused") {
  for (const std::string_view text : {"", "5", "m", "5 m", "-5m", "+5m", "1.5m", "5m1h", "5m5m", "5M", "5x",
                                      "5ms1s", "300y", "99999999999999999999s"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseDuration(text).has_value());
  }
}

TEST_CASE("instants are written and read in UTC") {
  CHECK(Rfc3339(1'795'442'400'250) == "2026-11-23T14:00:00.250Z");
  CHECK(UtcText(1'795'442'400'999) == "2026-11-23 14:00:00 UTC");
  struct Case {
    std::string_view text;
    std::int64_t time_ms;
  };
  const std::vector<Case> good = {
      {"2026-11-23T14:00:00Z", 1'795'442'400'000},
      {"2026-11-23t14:00:00.25z", 1'795'442'400'250},
      {"2026-11-23 15:00:00+01:00", 1'795'442'400'000},
      {"2026-11-23T10:30:00-03:30", 1'795'442'400'000},
      {"1795442400", 1'795'442'400'000},
      {"1795442400.25", 1'795'442'400'250},
      {"1970-01-01T00:00:00Z", 0},
      {"2026-11-23T14:00:00.123456789Z", 1'795'442'400'123},
  };
  for (const Case& example : good) {
    CAPTURE(example.text);
    CHECK(ParseTime(example.text) == example.time_ms);
  }
  for (const std::string_view text :
       {"", "now", "2026-11-23", "2026-11-23T14:00:00", "2026-02-30T00:00:00Z", "-1", "nan", "inf", "1e300",
        "2026-11-23T24:00:00Z", "2026-11-23T14:00:00.Z", "12h"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseTime(text).has_value());
  }
  CHECK(LengthText(0) == "0 s");
  CHECK(LengthText(119'999) == "119 s");
  CHECK(LengthText(720'000) == "12 min");
  CHECK(LengthText(10'800'000) == "3 h");
  CHECK(LengthText(41 * 86'400'000LL) == "41 days");
}
