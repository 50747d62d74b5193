// Lengths of time that several programs, or a program and what it generates, must agree on.
#pragma once

#include <cstdint>

namespace outgrown {

// How long a store that fell silent is remembered, by alerts and decisions alike: the day between two runs of
// the timer, and two hours for a late one.
inline constexpr std::int64_t kLookbackMs = 26LL * 3'600'000;

// How far the clocks of two hosts may be apart. What lies further ahead was made while a clock was wrong.
inline constexpr std::int64_t kClocksApartMs = 3'600'000;

// A limit that the trend reaches later than in a year is shown as "no trend": a few days say nothing about that.
inline constexpr std::int64_t kTrendMaxMs = 365 * 86'400'000LL;

}  // namespace outgrown
