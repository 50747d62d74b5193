#include "rulegen/report/quantity.h"

#include <string_view>
#include <vector>

#include <doctest/doctest.h>

using outgrown::Unit;
using outgrown::report::QuantityText;

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
  };
  for (const Case& example : cases) CHECK(QuantityText(example.value, example.unit) == example.text);
}
