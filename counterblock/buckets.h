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
#include <cstddef>
#include <cstdint>

#include "counterblock/layout.h"

namespace outgrown::block {

inline constexpr std::uint32_t kStepsPerDecade = 9;
inline constexpr std::uint64_t kFirstBoundNs = 1'000;
inline constexpr std::uint64_t kLastBoundNs = 1'000'000'000'000;

namespace internal {

// One row for what is below 1 µs, then one for each k: 10^k, and a multiplier and shift that divide by it exactly.
//
// With the 64-bit multiplier m = floor(2^(64+s) / 10^k) + 1, where 2^s <= 10^k < 2^(s+1), (v · m) >> (64 + s)
// is floor(v / 10^k) as long as v < 2^63 (the error v / 2^(64+s) stays below 1 / 10^k). We need v < 2^40.
struct alignas(32) Decade {
  std::uint64_t power;
  std::uint64_t multiplier;
  std::uint32_t shift;
  std::uint32_t first_bucket;  // of d = 0, so that the bucket is first_bucket + d
};

__extension__ using Wide = unsigned __int128;

constexpr std::array<Decade, 10> MakeDecades() {
  std::array<Decade, 10> decades{};  // the first row stays 0 and gives bucket 0
  std::uint64_t power = kFirstBoundNs;
  for (std::uint32_t k = 1; k < decades.size(); ++k) {
    const auto shift = static_cast<std::uint32_t>(std::bit_width(power) - 1);
    const Wide multiplier = (Wide{1} << (64U + shift)) / power + 1;
    decades[k] = Decade{power, static_cast<std::uint64_t>(multiplier), shift, (k - 1) * kStepsPerDecade};
    power *= 10;
  }
  return decades;
}
inline constexpr std::array<Decade, 10> kDecades = MakeDecades();

// By the position of v's highest bit: the highest row that such a v can be in. From 2^40 on, row 0 (see below).
constexpr std::array<std::uint8_t, 64> MakeRowOfBit() {
  std::array<std::uint8_t, 64> of_bit{};
  for (std::size_t bit = 0; bit < 40; ++bit) {
    for (std::size_t row = 1; row < kDecades.size(); ++row) {
      if (kDecades[row].power < (std::uint64_t{2} << bit)) of_bit[bit] = static_cast<std::uint8_t>(row);
    }
  }
  return of_bit;
}
inline constexpr std::array<std::uint8_t, 64> kRowOfBit = MakeRowOfBit();

}  // namespace internal

// The bucket of a duration below 2^40 ns. No loop, no division, no branch.
constexpr std::uint32_t BucketOfUsual(std::uint64_t duration_ns) {
  // (lower, upper] becomes [lower, upper). 0 becomes 2^64 - 1, which has row 0 as everything up to 1 µs has.
  const std::uint64_t v = duration_ns - 1;
  std::size_t row = internal::kRowOfBit[63U - static_cast<unsigned>(std::countl_zero(v | 1U))];
  row -= v < internal::kDecades[row].power ? 1U : 0U;
  const internal::Decade& decade = internal::kDecades[row];
  const auto high = static_cast<std::uint64_t>((internal::Wide{v} * decade.multiplier) >> 64U);
  return decade.first_bucket + static_cast<std::uint32_t>(high >> decade.shift);
}

// What BucketOfUsual reads, for durations of less than 100 ms.
inline void PrefetchBuckets() {
  __builtin_prefetch(internal::kRowOfBit.data());
  for (std::size_t row = 0; row < 6; row += 2) __builtin_prefetch(&internal::kDecades[row]);
}

// The bucket of any duration.
constexpr std::uint32_t BucketOf(std::uint64_t duration_ns) {
  return duration_ns > kLastBoundNs ? kBucketCount - 1 : BucketOfUsual(duration_ns);
}

// The largest duration in a bucket; the last one has no bound and gives UINT64_MAX. Precondition: in range.
constexpr std::uint64_t UpperBoundNs(std::uint32_t bucket) {
  if (bucket == 0) return kFirstBoundNs;
  if (bucket >= kBucketCount - 1) return UINT64_MAX;
  const std::uint32_t step = bucket - 1;
  return (step % kStepsPerDecade + 2) * internal::kDecades[step / kStepsPerDecade + 1].power;
}

// The bounds to expose: 24 of the exact ones, dense around 0.1 s, where the latency threshold is.
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
