#include "decision/history/readings.h"

#include <algorithm>
#include <cstddef>
#include <span>

#include "decision/measure.h"

namespace outgrown::backtest {
namespace {

using decide::Cause;

// What a judgement looks at: the window, and the newest sample before it, which tells a gap at its start from a history
// that begins there, and that a series stopped.
decide::Reading InWindow(std::span<const Sample> samples, const Look& look) {
  const std::size_t window = evaluate::Upto(samples, look.time_ms, look.window_ms).size();
  return {.cause = Cause::kNone, .samples = samples.last(std::min(samples.size(), window + 1))};
}

}  // namespace

decide::Reading ReadingAt(const Fetched& fetched, const Look& look, std::vector<Sample>& room) {
  if (fetched.cause != Cause::kNone) return {.cause = fetched.cause};
  std::span<const Sample> only;
  std::size_t count = 0;
  for (const std::vector<Sample>& series : fetched.series) {
    const std::span<const Sample> seen = evaluate::Upto(series, look.time_ms, look.range_ms);
    if (seen.empty()) continue;
    only = seen;
    ++count;
  }
  if (count == 0) return {.cause = Cause::kAbsent};
  if (count == 1) return InWindow(only, look);
  std::vector<std::span<const Sample>> parts;
  for (const std::vector<Sample>& series : fetched.series) {
    const std::span<const Sample> seen = evaluate::Upto(series, look.time_ms, look.range_ms);
    if (!seen.empty()) parts.push_back(seen);
  }
  std::ranges::sort(parts, {}, [](std::span<const Sample> part) { return part.front().time_ms; });
  room.clear();
  for (const std::span<const Sample> part : parts) {
    if (!room.empty() && room.back().time_ms >= part.front().time_ms) return {.cause = Cause::kSeveralSeries};
    room.insert(room.end(), part.begin(), part.end());
  }
  return InWindow(room, look);
}

}  // namespace outgrown::backtest
