#include "decision/engine/cause.h"

#include <array>
#include <cstddef>

namespace outgrown::engine {
namespace {

struct Wording {
  Cause cause;
  std::string_view id;
  std::string_view text;
};

// Ids are stored in records and JSON documents and never change; texts may. Order: that of the enumeration.
constexpr std::array kWordings = {
    Wording{Cause::kNone, "none", "known"},
    Wording{Cause::kAbsent, "absent", "no recorded series"},
    Wording{Cause::kStale, "stale", "the recorded series has stopped"},
    Wording{Cause::kNotFinite, "not_finite", "the recorded value is not a finite number"},
    Wording{Cause::kTooFewSamples, "too_few_samples",
            "beyond the limit, but the history is too short to say for how long"},
    Wording{Cause::kHole, "hole", "beyond the limit, with samples missing in between"},
    Wording{Cause::kSeveralSeries, "several_series", "several series have this store's labels"},
    Wording{Cause::kPartialAnswer, "partial_answer", "the server's answer may be incomplete"},
    Wording{Cause::kQueryFailed, "query_failed", "the query was not answered"},
    Wording{Cause::kNotCovered, "not_covered", "writes go uncounted"},
    Wording{Cause::kCoverageUnknown, "coverage_unknown", "whether writes go uncounted is not known"},
    Wording{Cause::kNotGiven, "not_given", "not given"},
    Wording{Cause::kSilent, "silent", "no data"},
    Wording{Cause::kPresenceUnknown, "presence_unknown", "whether the store still reports is not known"},
    Wording{Cause::kUnmeasured, "unmeasured", "not measured all the time"},
    Wording{Cause::kOvercounted, "overcounted", "more writes are counted than the store commits"},
    Wording{Cause::kWindowNotFull, "window_not_full", "the window of its rates is not full"},
    Wording{Cause::kRulesDiffer, "rules_differ", "rules with different expressions record it"},
};

constexpr bool InOrder() {
  for (std::size_t index = 0; index < kWordings.size(); ++index) {
    if (static_cast<std::size_t>(kWordings[index].cause) != index) return false;
  }
  return true;
}
static_assert(InOrder(), "CauseText and CauseId look up by position");

}  // namespace

std::string_view CauseText(Cause cause) { return kWordings[static_cast<std::size_t>(cause)].text; }

std::string_view CauseId(Cause cause) { return kWordings[static_cast<std::size_t>(cause)].id; }

Cause CauseFromId(std::string_view id) {
  // Linear in some twenty rows; the audit alone asks, once for each recorded cause.
  for (const Wording& wording : kWordings) {
    if (wording.id == id) return wording.cause;
  }
  return Cause::kNone;
}

}  // namespace outgrown::engine
