#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>

#include <doctest/doctest.h>

#include "rulegen/archive/snapshot.h"

using namespace outgrown;

TEST_CASE("every millisecond reads back by rounding and by cutting off") {
  for (const std::int64_t start_ms : {0LL, 999'999'999'000LL, 1'790'000'010'000LL, 4'102'444'800'000LL}) {
    for (std::int64_t time_ms = start_ms; time_ms < start_ms + 20'000; ++time_ms) {
      const double seconds = std::strtod(archive::SecondsText(time_ms).c_str(), nullptr);
      REQUIRE(static_cast<std::int64_t>(seconds * 1000) == time_ms);
      REQUIRE(std::llround(seconds * 1000) == time_ms);
    }
  }
}

TEST_CASE("labels are escaped, and a series without labels has no braces") {
  CHECK(archive::SeriesText("a:b", {{"x", "1"}, {"y", "a\"b\\c\nd"}}) == R"(a:b{x="1",y="a\"b\\c\nd"})");
  CHECK(archive::SeriesText("up", {}) == "up");
  CHECK(archive::SampleLine("up", {1500, 0.1}) == "up 0.1 1.5\n");
}
