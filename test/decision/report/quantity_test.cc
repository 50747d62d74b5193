#include "decision/report/quantity.h"

#include <cmath>
#include <random>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "test/support/rounds.h"

using outgrown::Unit;
using outgrown::decision::QuantityText;
using outgrown::decision::ValueAndLimit;
using outgrown::decision::ValueAndLimitText;
using outgrown::test::Rounds;

TEST_CASE("values are shown in their unit") {
  struct Case {
    double value;
    Unit unit;
    std::string_view text;
  };
  const std::vector<Case> cases = {
      {0.0231, Unit::kRatio, "2.31 %"},
      {0.01, Unit::kRatio, "1 %"},
      {0, Unit::kRatio, "0 %"},
      {84.2, Unit::kPerSecond, "84.2"},
      {100, Unit::kPerSecond, "100"},
      {1234567, Unit::kCount, "1234567"},
      {0.038, Unit::kSeconds, "38 ms"},
      {0.1, Unit::kSeconds, "100 ms"},
      {2.5, Unit::kSeconds, "2.5 s"},
      {0.0000421, Unit::kSeconds, "42.1 µs"},
      {0, Unit::kSeconds, "0 ms"},
      {5368709120, Unit::kBytes, "5 GB"},
      {1932735283.2, Unit::kBytes, "1.8 GB"},
      {512, Unit::kBytes, "512 B"},
      {2, Unit::kCount, "2"},
      {1e-9, Unit::kRatio, "1e-07 %"},
      {1073741823, Unit::kBytes, "1 GB"},
      {1023.5, Unit::kBytes, "1 KB"},
      {0.9999, Unit::kSeconds, "1 s"},
      {0.0009999, Unit::kSeconds, "1 ms"},
      {-1073741823, Unit::kBytes, "-1 GB"},
  };
  for (const Case& example : cases) CHECK(QuantityText(example.value, example.unit) == example.text);
}

TEST_CASE("a value and its limit read the same only if they are the same") {
  struct Case {
    double value;
    double limit;
    Unit unit;
    std::string_view value_text;
    std::string_view limit_text;
  };
  const std::vector<Case> cases = {
      {80, 80, Unit::kPerSecond, "80", "80"},
      {80.0001, 80, Unit::kPerSecond, "80.0001", "80"},
      {79.96, 80, Unit::kPerSecond, "79.96", "80"},
      {84.2, 80, Unit::kPerSecond, "84.2", "80"},
      {100.4, 100, Unit::kPerSecond, "100.4", "100"},
      {80, 80.0001, Unit::kPerSecond, "80", "80.0001"},
      {0.0100000004, 0.01, Unit::kRatio, "1.00000004 %", "1 %"},
      {0.10001, 0.1, Unit::kSeconds, "100.01 ms", "100 ms"},
      {0.9999, 1, Unit::kSeconds, "999.9 ms", "1 s"},
      {5368709121, 5368709120, Unit::kBytes, "5.000000001 GB", "5 GB"},
      {1073741823, 1073741824, Unit::kBytes, "1023.999999 MB", "1 GB"},
      {1e-9, 1.0001e-9, Unit::kRatio, "1e-07 %", "1.0001e-07 %"},
  };
  for (const Case& example : cases) {
    const ValueAndLimit texts = ValueAndLimitText(example.value, example.limit, example.unit);
    CHECK(texts.value == example.value_text);
    CHECK(texts.limit == example.limit_text);
  }
}

TEST_CASE("even neighbours among doubles read differently") {
  std::mt19937_64 dice(20261126);  // NOLINT(cert-msc51-cpp): the same numbers in each run
  const int runs = Rounds(500, 20'000);
  for (int run = 0; run < runs; ++run) {
    const double limit = std::pow(10, std::uniform_real_distribution(-12.0, 18.0)(dice));
    const double value = std::nextafter(limit, run % 2 == 0 ? 0 : 1e300);
    for (const Unit unit : {Unit::kRatio, Unit::kPerSecond, Unit::kSeconds, Unit::kBytes, Unit::kCount}) {
      const ValueAndLimit texts = ValueAndLimitText(value, limit, unit);
      CAPTURE(texts.value);
      CHECK(texts.value != texts.limit);
    }
  }
}
