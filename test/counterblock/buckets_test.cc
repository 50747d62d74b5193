#include "counterblock/buckets.h"

#include <cstdint>
#include <random>

#include <doctest/doctest.h>

#include "counterblock/reader.h"

using outgrown::block::BucketOf;
using outgrown::block::DurationHistogram;
using outgrown::block::kBucketCount;
using outgrown::block::kExposedBoundsNs;
using outgrown::block::Snapshot;
using outgrown::block::UpperBoundNs;

TEST_CASE("every bound belongs to its own bucket, and the next nanosecond to the next") {
  for (std::uint32_t bucket = 0; bucket + 1 < kBucketCount; ++bucket) {
    CAPTURE(bucket);
    const std::uint64_t bound = UpperBoundNs(bucket);
    CHECK(BucketOf(bound) == bucket);
    CHECK(BucketOf(bound - 1) == bucket);
    CHECK(BucketOf(bound + 1) == bucket + 1);
    CHECK(UpperBoundNs(bucket + 1) > bound);
  }
}

TEST_CASE("the ends of the range have their buckets") {
  CHECK(BucketOf(0) == 0);
  CHECK(BucketOf(UINT64_MAX) == kBucketCount - 1);
  CHECK(BucketOf(1'000'000'000'001) == kBucketCount - 1);
}

TEST_CASE("a duration's bucket is the first whose bound is not below it") {
  const std::uint64_t seed = 20261123;
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 200'000; ++i) {
    const std::uint64_t duration_ns = random() >> (random() % 64);
    std::uint32_t expected = 0;
    while (UpperBoundNs(expected) < duration_ns) ++expected;
    REQUIRE_MESSAGE(BucketOf(duration_ns) == expected, duration_ns);
  }
}

TEST_CASE("the exposed bounds are exact decimals, 0.1 s among them, and their counts are cumulative") {
  CHECK(kExposedBoundsNs.size() <= 24);
  Snapshot snapshot;
  for (const std::uint64_t duration_ns : {1ULL, 100'000'000ULL, 100'000'001ULL, 999'000'000'000ULL}) {
    ++snapshot.buckets[BucketOf(duration_ns)];
    snapshot.duration_sum_ns += duration_ns;
  }
  const auto histogram = DurationHistogram(snapshot);
  CHECK(histogram.count == 4);
  CHECK(histogram.sum_seconds == 999.200000002);
  std::uint64_t at_100_ms = 0;
  for (const auto& bucket : histogram.buckets) {
    if (bucket.upper_bound_seconds == 0.1) at_100_ms = bucket.count;
  }
  CHECK(at_100_ms == 2);
  CHECK(histogram.buckets.front().upper_bound_seconds == 0.00001);
  CHECK(histogram.buckets.front().count == 1);
  CHECK(histogram.buckets.back().upper_bound_seconds == 30.0);
  CHECK(histogram.buckets.back().count == 3);
}
