#include "common/duration.h"

#include <string_view>

#include <doctest/doctest.h>

using outgrown::FormatDuration;
using outgrown::Milliseconds;
using outgrown::ParseDuration;

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
