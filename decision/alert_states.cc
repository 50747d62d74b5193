#include "decision/alert_states.h"

#include <algorithm>
#include <cstddef>

namespace outgrown::decision {

using engine::State;

bool Agrees(State state, AlertState alert) {
  switch (state) {
    case State::kBreached:
      return alert == AlertState::kFiring;
    case State::kPending:
      return alert == AlertState::kPending;
    case State::kNotBreached:
      return alert == AlertState::kNone;
    case State::kUnknown:
      // An unknown threshold contradicts nothing; a firing alert beside it is a note of its own.
      return true;
  }
  return true;
}

std::int64_t LagMs(const Table& table) {
  // -search.latencyOffset, 30 s by default: vmalert 1.79 asks for now and gets what was 30 s ago.
  constexpr std::int64_t kVisibleMs = 10'000 + 30'000;
  return 2 * table.interval_ms + kVisibleMs;
}

std::vector<AlertState> StatesNear(const Table& table, std::int64_t newest_ms,
                                   const std::map<std::int64_t, AlertState>& by_time) {
  std::vector<AlertState> states;
  for (auto sample = by_time.rbegin(); sample != by_time.rend(); ++sample) {
    if (2 * (newest_ms - sample->first) < 3 * table.interval_ms) states.push_back(sample->second);
  }
  // An evaluation without it, however it falls between the stamps.
  const bool missed = by_time.empty() || by_time.rbegin()->first <= newest_ms - table.interval_ms;
  if (missed) states.push_back(AlertState::kNone);
  return states;
}

Agreement CompareWithLag(const Table& table, const ThresholdRow& threshold, std::span<const Sample> samples,
                         const std::vector<AlertState>& states, std::int64_t from_ms) {
  for (std::size_t count = samples.size(); count > 0; --count) {
    const engine::Clock clock = {samples[count - 1].time_ms, table.interval_ms};
    if (samples.back().time_ms - clock.time_ms > LagMs(table)) break;
    const State state = engine::JudgeWindow(threshold, {.samples = samples.first(count)}, {}, clock).state;
    if (state == State::kUnknown) continue;
    if (std::ranges::any_of(states, [&](AlertState alert) { return Agrees(state, alert); }))
      return Agreement::kAgrees;
  }
  // Without evaluations from before the lag nobody can tell what the alert goes by. (An evaluation may be an interval late.)
  const bool begins = samples.front().time_ms > from_ms + table.interval_ms;
  const bool young = samples.back().time_ms - threshold.hold_ms - LagMs(table) < samples.front().time_ms;
  return begins && young ? Agreement::kNotCompared : Agreement::kDrift;
}

}  // namespace outgrown::decision
