// The walk over a period, for --since and --backtest: what deciding needs is
// fetched for all stores at once, one stretch after the other, so that memory does not grow with the period;
// within a stretch one store after the other is visited at one instant after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "common/result.h"
#include "decision/measure/measure.h"
#include "decision/measure/stores.h"
#include "prometheus/prometheus_client.h"
#include "thresholds/table.h"

namespace outgrown::decision {

// The instants after `after_ms`, up to `until_ms`.
struct Stretch {
  std::int64_t after_ms = 0;
  std::int64_t until_ms = 0;
};

struct Course {
  std::int64_t after_ms = 0;
  std::int64_t to_ms = 0;
  // A stretch is a whole number of steps, at least one and at most `steps_max`.
  std::int64_t step_ms = 1;
  std::int64_t steps_max = std::numeric_limits<std::int64_t>::max();
  // Whether to fetch as much before each stretch as --evaluate reads of so many stores (HistoryMs).
  bool with_history = false;
  std::size_t stores_expected = 1;  // at least so many; a stretch is the shorter, the more there are
};

// What is done on the way. It is called by one thread.
class Visitor {
 public:
  virtual ~Visitor() = default;

  // Before the stretch's samples are fetched; stores may be added. An error ends the walk.
  virtual Result<void> Begin(const Stretch& stretch) = 0;

  // Once they are there: when to visit this store, ascending.
  virtual std::vector<std::int64_t> Instants(std::size_t store, const Stretch& stretch) = 0;

  // At such an instant; `at` is to be read there.
  virtual void Visit(std::size_t store, std::int64_t time_ms, StoreAt& at) = 0;
};

// Walks over the course. `list` receives the samples, and stores that only those show; its stores are known
// to the visitor by their index. A failed query makes its stretch unmeasured and adds a warning.
Result<void> Walk(const Table& table, const SeriesChoices& choices, const Course& course,
                  prometheus_api::QuerySource& source, StoreList& list, FleetNotes& notes, Visitor& visitor);

}  // namespace outgrown::decision
