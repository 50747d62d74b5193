#include "common/number.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string_view>

#include <doctest/doctest.h>

using outgrown::ExactNumber;
using outgrown::ParseNumber;

TEST_CASE("a number is written as Prometheus' canonical PromQL writes it") {
  CHECK(ExactNumber(0.01) == "0.01");
  CHECK(ExactNumber(1e-2) == "0.01");
  CHECK(ExactNumber(100) == "100");
  CHECK(ExactNumber(5368709120.0) == "5368709120");
  CHECK(ExactNumber(0.1 + 0.2) == "0.30000000000000004");
  CHECK(ExactNumber(-0.0) == "-0");
  CHECK(ExactNumber(1e21) == "1000000000000000000000");
  CHECK(ExactNumber(std::numeric_limits<double>::infinity()) == "+Inf");
  CHECK(ExactNumber(-std::numeric_limits<double>::infinity()) == "-Inf");
  CHECK(ExactNumber(std::numeric_limits<double>::quiet_NaN()) == "NaN");
}

TEST_CASE("every double reads back bit for bit") {
  const std::uint64_t seed = 20261123;
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 100'000; ++i) {
    const double value = std::bit_cast<double>(random());
    if (std::isnan(value)) continue;
    const std::optional<double> back = ParseNumber(ExactNumber(value));
    REQUIRE(back.has_value());
    REQUIRE(std::bit_cast<std::uint64_t>(*back) == std::bit_cast<std::uint64_t>(value));
  }
}

TEST_CASE("text that is not wholly a number is none") {
  for (const std::string_view text : {"", " 1", "1 ", "1x", "0x10", "--1", "+-1", "1,5", "one"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseNumber(text).has_value());
  }
  CHECK(ParseNumber("+Inf") == std::numeric_limits<double>::infinity());
  CHECK(std::isnan(ParseNumber("NaN").value()));
}
