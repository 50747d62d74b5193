#include "counterblock/snapshot.h"

#include <cstddef>

namespace outgrown::block {
namespace {

constexpr double kNsPerSecond = 1e9;

constexpr std::array<std::string_view, kOutcomeCount> kOutcomeNames = {
    "ok", "busy", "busy_snapshot", "full", "io", "constraint", "corrupt", "other"};

}  // namespace

std::string_view OutcomeName(Outcome outcome) { return kOutcomeNames.at(static_cast<std::size_t>(outcome)); }

std::uint64_t WritesOf(const Snapshot& snapshot, Outcome outcome) {
  return snapshot.writes.at(static_cast<std::size_t>(outcome));
}

CumulativeHistogram DurationHistogram(const Snapshot& snapshot) {
  CumulativeHistogram histogram{};
  std::uint64_t cumulative = 0;
  std::uint32_t fine = 0;
  for (std::size_t i = 0; i < kExposedBoundsNs.size(); ++i) {
    for (; UpperBoundNs(fine) <= kExposedBoundsNs[i]; ++fine) cumulative += snapshot.buckets[fine];
    histogram.buckets[i] = {static_cast<double>(kExposedBoundsNs[i]) / kNsPerSecond, cumulative};
  }
  for (; fine < kBucketCount; ++fine) cumulative += snapshot.buckets[fine];
  histogram.count = cumulative;
  histogram.sum_seconds = static_cast<double>(snapshot.duration_sum_ns) / kNsPerSecond;
  return histogram;
}

}  // namespace outgrown::block
