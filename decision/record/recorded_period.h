// The period that a record is about, read back, and the holes between the periods of a store.
#pragma once

#include <cstdint>
#include <vector>

#include "common/json.h"
#include "common/result.h"
#include "decision/measure/period.h"
#include "thresholds/table.h"

namespace outgrown::decision {

// The "period" of a record, as far as its verdict rests on it. An error also if it contradicts itself: it
// does not end at the record's time, has a breach without a value beyond the limit for at least `for`, or
// that without a breach, or is unknown for longer than is tolerated with nothing unmeasured.
Result<Period> ReadPeriod(const Json& record, const Table& table);

// The time between two periods that is in no period of the same store.
struct Hole {
  std::int64_t from_ms = 0;
  std::int64_t to_ms = 0;
};

// A store's periods, in whatever order they were logged.
class Periods {
 public:
  // Takes the record's, if it has one.
  void Take(const Json& record);

  // Those that are longer than one interval, within which every evaluation is one of a neighbouring period's window.
  std::vector<Hole> Holes() const;

 private:
  struct Span {
    std::int64_t from_ms;
    std::int64_t to_ms;
    std::int64_t interval_ms;
  };

  std::vector<Span> spans_;
};

}  // namespace outgrown::decision
