#include "common/time_text.h"

#include <cstdint>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

using namespace outgrown;  // NOLINT(google-build-using-namespace): a test

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
