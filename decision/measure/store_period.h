// What the walk through a period finds about one store, evaluation by evaluation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "decision/measure/known_time.h"
#include "decision/measure/period.h"
#include "decision/measure/walk.h"
#include "thresholds/table.h"

namespace outgrown::decision {

// From, to: nothing is known of the time between.
using Gap = std::pair<std::int64_t, std::int64_t>;

// The table must outlive it.
class StorePeriod {
 public:
  // `is_new`: the store was not there before the period.
  StorePeriod(const Table& table, std::int64_t from_ms, std::int64_t to_ms, bool is_new);

  // The evaluations of the stretch that the samples show, as far as it is of the period. Those before the
  // period show in which state it begins. None where all of them were healthy: they are taken at once.
  std::vector<std::int64_t> Evaluations(const Store& store, const Stretch& stretch);

  // Decides at such an evaluation.
  void Take(const Store& store, std::int64_t time_ms, StoreAt& at);

  void End();

  // The gaps of its thresholds, after End.
  std::set<Gap> Gaps() const;

  // Such a gap was a stop: nothing was written.
  void Stopped(const Gap& gap);

  // What was found; the object is used up.
  Period Finish();

 private:
  // From when on what is missing counts.
  void BeginAt(std::int64_t from_ms);

  // Takes all evaluations of a stretch in which nothing was beyond a limit, uncounted or not finite: the condition was
  // false at each, whatever lies before it (engine/window.h). False, and nothing taken, if there was anything.
  bool TakeHealthy(const Store& store, const std::vector<std::int64_t>& times, std::int64_t all_after_ms);

  // Whether the condition was known at this threshold's sample of `time_ms`.
  void TakeCondition(std::size_t index, const engine::Finding& finding, const engine::Reading& coverage,
                     std::int64_t time_ms);
  void TakeFinding(std::size_t index, const engine::Finding& finding, const Sample& sample,
                   std::int64_t time_ms);

  // Whether this threshold's first breach would be what the verdict rests on, as far as the walk has come.
  bool Leads(std::size_t index) const;
  void Keep(std::size_t index, const Store& store, std::int64_t time_ms, const StoreAt& at);

  const Table& table_;
  Period period_;
  std::vector<KnownTime> known_;  // by index of Table::thresholds
  std::optional<std::size_t> lead_;
};

}  // namespace outgrown::decision
