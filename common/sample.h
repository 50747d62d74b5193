// A sample of a time series, as Prometheus stores it.
#pragma once

#include <cstdint>

namespace outgrown {

// Time in milliseconds since the Unix epoch; the value raw, so NaN and the infinities are possible.
struct Sample {
  std::int64_t time_ms = 0;
  double value = 0;

  friend bool operator==(const Sample&, const Sample&) = default;
};

}  // namespace outgrown
