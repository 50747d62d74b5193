// The duration histogram's buckets: log-linear in decimal, nine equal steps a decade from 1 µs to 1000 s.
//
//   bucket 0        (0, 1 µs]
//   bucket 1 … 81   (d · 10^k ns, (d + 1) · 10^k ns]   for k = 3 … 11 and d = 1 … 9
//   bucket 82       above 1000 s
//
// Decimal steps, because a threshold is a decimal number: 0.1 s is a bound, so the share of writes beyond it
// is exact. Upper bounds belong to their bucket, as Prometheus' `le` wants it. The numbers are ABI (major 1).
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "counterblock/layout.h"

namespace outgrown::block {

inline constexpr std::uint32_t kStepsPerDecade = 9;
inline constexpr std::uint64_t kFirstBoundNs = 1'000;
inline constexpr std::uint64_t kLastBoundNs = 1'000'000'000'000;

namespace internal {

// One row for each k: 10^k, and a multiplier and shift that divide by it exactly.
//
// With the 64-bit multiplier m = floor(2^(64+s) / 10^k) + 1, where 2^s <= 10^k < 2^(s+1), (v · m) >> (64 + s)
// is floor(v / 10^k) as long as v < 2^63 (the error v / 2^(64+s) stays below 1 / 10^k). We need v < 10^12.
struct Decade {
  std::uint64_t power;
  std::uint64_t multiplier;
  std::uint32_t shift;
  std::uint32_t first_bucket;  // of d = 0, so that the bucket is first_bucket + d
};

__extension__ using Wide = unsigned __int128;

constexpr std::array<Decade, 9> MakeDecades() {
  std::array<Decade, 9> decades{};
  std::uint64_t power = kFirstBoundNs;
  std::uint32_t first_bucket = 0;
  for (Decade& decade : decades) {
    const auto shift = static_cast<std::uint32_t>(std::bit_width(power) - 1);
    const Wide multiplier = (Wide{1} << (64U + shift)) / power + 1;
    decade = Decade{power, static_cast<std::uint64_t>(multiplier), shift, first_bucket};
    power *= 10;
    first_bucket += kStepsPerDecade;
  }
  return decades;
}
inline constexpr std::array<Decade, 9> kDecades = MakeDecades();

// By bit width of v (10 … 40 for 1000 <= v < 10^12): the highest decade that a value of that width can be in.
constexpr std::array<std::uint8_t, 65> MakeDecadeOfWidth() {
  std::array<std::uint8_t, 65> of_width{};
  for (std::uint32_t width = 0; width < of_width.size(); ++width) {
    for (std::uint8_t k = 0; k < kDecades.size(); ++k) {
      if (static_cast<std::uint32_t>(std::bit_width(kDecades[k].power)) <= width) of_width[width] = k;
    }
  }
  return of_width;
}
inline constexpr std::array<std::uint8_t, 65> kDecadeOfWidth = MakeDecadeOfWidth();

}  // namespace internal

// The bucket of a duration. About 2 ns, no loop, no division.
constexpr std::uint32_t BucketOf(std::uint64_t duration_ns) {
  if (duration_ns <= kFirstBoundNs) return 0;
  if (duration_ns > kLastBoundNs) return kBucketCount - 1;
  const std::uint64_t v = duration_ns - 1;  // (lower, upper] becomes [lower, upper)
  std::uint32_t k = internal::kDecadeOfWidth[static_cast<std::uint32_t>(std::bit_width(v))];
  k -= v < internal::kDecades[k].power ? 1U : 0U;
  const internal::Decade& decade = internal::kDecades[k];
  const auto high = static_cast<std::uint64_t>((internal::Wide{v} * decade.multiplier) >> 64U);
  return decade.first_bucket + static_cast<std::uint32_t>(high >> decade.shift);
}

// The largest duration in a bucket; the last one has no bound and gives UINT64_MAX. Precondition: in range.
constexpr std::uint64_t UpperBoundNs(std::uint32_t bucket) {
  if (bucket == 0) return kFirstBoundNs;
  if (bucket >= kBucketCount - 1) return UINT64_MAX;
  const std::uint32_t step = bucket - 1;
  return (step % kStepsPerDecade + 2) * internal::kDecades[step / kStepsPerDecade].power;
}

// The bounds to expose: 24 of the exact ones, dense around 0.1 s, where the latency threshold stands.
inline constexpr std::array<std::uint64_t, 24> kExposedBoundsNs = {
    10'000,      20'000,        50'000,        100'000,       200'000,        500'000,
    1'000'000,   2'000'000,     5'000'000,     10'000'000,    20'000'000,     30'000'000,
    50'000'000,  70'000'000,    100'000'000,   200'000'000,   300'000'000,    500'000'000,
    700'000'000, 1'000'000'000, 2'000'000'000, 5'000'000'000, 10'000'000'000, 30'000'000'000};

static_assert(kBucketCount == 2 + 9 * kStepsPerDecade);
static_assert(UpperBoundNs(kBucketCount - 2) == kLastBoundNs);
static_assert(
    [] {
      for (const std::uint64_t bound : kExposedBoundsNs) {
        if (UpperBoundNs(BucketOf(bound)) != bound || BucketOf(bound + 1) != BucketOf(bound) + 1)
          return false;
      }
      return true;
    }(),
    "an exposed bound is the bound of a bucket");

}  // namespace outgrown::block
