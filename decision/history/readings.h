// What was fetched of one signal of one store, and what of it --evaluate would have seen at an instant.
#pragma once

#include <cstdint>
#include <vector>

#include "common/sample.h"
#include "decision/engine/window.h"

namespace outgrown::backtest {

// The series that claim to be this signal of this store: usually one; one that changed a label is two in a row.
struct Fetched {
  decide::Cause cause = decide::Cause::kNone;  // why nothing of it can be judged
  std::vector<std::vector<Sample>> series;     // each strictly ascending, none empty
};

struct Look {
  std::int64_t time_ms = 0;    // T
  std::int64_t range_ms = 0;   // how far --evaluate's query reaches back from there
  std::int64_t window_ms = 0;  // how far a judgement does; not more than the range
};

// The reading at T. `room` holds its samples if they come from several series; the reading lives as long as both.
decide::Reading ReadingAt(const Fetched& fetched, const Look& look, std::vector<Sample>& room);

}  // namespace outgrown::backtest
