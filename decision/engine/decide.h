// The decision about one store: every threshold's finding, and the verdict that follows from them.
//
// The verdict is the most severe one among the breached thresholds; of those with that verdict the first in
// table order leads, all other breaches are listed beside it. A proven breach holds whatever is unknown
// elsewhere. Without one, anything unknown makes the verdict undetermined: a store is sufficient only if it was wholly
// measured, for as long as the expressions look back.
//
// Pure: no allocation, no I/O, no clock, no exception. The caller owns all memory. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "decision/engine/cause.h"
#include "decision/engine/window.h"
#include "thresholds/table.h"

namespace outgrown::engine {

// Everything that was read about one store.
struct Measurements {
  std::int64_t time_ms = 0;       // T
  Cause presence = Cause::kNone;  // of the store itself: kNone: it reports, for long enough; else why not
  std::span<const Reading> signals = {};  // by index of Table::signals, as many as these
  Reading coverage = {};                  // of Table::coverage_series; not looked at if the table has none
};

enum class Outcome : std::uint8_t { kSufficient, kBreached, kUndetermined };

// No threshold leads: sufficient, or undetermined because of the store itself (its presence, or its window).
inline constexpr std::size_t kNoThreshold = static_cast<std::size_t>(-1);

struct Decision {
  Outcome outcome = Outcome::kUndetermined;
  std::size_t verdict = 0;  // kBreached: index into Table::verdicts
  std::size_t lead =
      kNoThreshold;            // the first threshold breached with that verdict, or the first unknown one
  Cause cause = Cause::kNone;  // kUndetermined: of `lead`, or of the store itself
  bool worse_unknown = false;  // something unknown could have made the verdict more severe
  // The threshold that is beyond its limit, but not yet for long enough (Finding::since_ms): of the most
  // severe verdict the first one. kNoThreshold if there is none. It changes no outcome, and is never left out
  // where the outcome is sufficient.
  std::size_t pending = kNoThreshold;

  friend bool operator==(const Decision&, const Decision&) = default;
};

// Fills `findings`, one for each of Table::thresholds, and decides. Preconditions: the spans have these
// sizes, the table's indices are within it (compiled and made tables are).
Decision Decide(const Table& table, const Measurements& measurements, std::span<Finding> findings);

// The same from plain numbers, taken as sustained for long enough, one for each of Table::signals in
// the signal's unit. NaN: not known. The counting is taken as complete.
Decision DecideGiven(const Table& table, std::span<const double> values, std::span<Finding> findings);

// What was found about a threshold over a period.
struct PeriodFinding {
  bool was_breached = false;  // at some evaluation of it
  bool is_unknown = false;    // there was time in which a breach may have been missed
};

// The decision over a period, from what was found of each of Table::thresholds and the decision at the period's end.
// Precondition: as many findings as thresholds.
Decision ConcludePeriod(const Table& table, std::span<const PeriodFinding> findings, const Decision& at_end);

// "MIGRATE NOW", Table::sufficient, or "UNDETERMINED". The view lives as long as the table.
std::string_view VerdictText(const Table& table, const Decision& decision);

// "migrate_now", "sufficient" or "undetermined": the name of logs and JSON.
std::string_view VerdictId(const Table& table, const Decision& decision);

// What a breach is printed with after "VERDICT - ": the leading threshold's `because`; "" unless kBreached.
std::string_view Because(const Table& table, const Decision& decision);

}  // namespace outgrown::engine
