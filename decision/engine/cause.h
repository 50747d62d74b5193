// Why something is unknown: every cause that a decision can name, each with one wording.
#pragma once

#include <cstdint>
#include <string_view>

namespace outgrown::engine {

enum class Cause : std::uint8_t {
  kNone,             // known
  kAbsent,           // no recorded series within the window that was asked for
  kStale,            // the newest sample is older than T less two intervals
  kNotFinite,        // NaN or Inf where a value was needed
  kTooFewSamples,    // beyond the limit, but the history is shorter than `for`
  kHole,             // beyond the limit, with a gap in the window
  kSeveralSeries,    // more than one series for one store
  kPartialAnswer,    // the server said that its answer may lack data
  kQueryFailed,      // no answer, or one that can't be read or doesn't fit the question
  kNotCovered,       // writes go uncounted: coverage below its minimum
  kCoverageUnknown,  // whether writes go uncounted is not known
  kNotGiven,         // --measurements left the signal out
  kSilent,           // the store itself: it reported within the lookback and no longer does
  kPresenceUnknown,  // the store itself: which stores are alive could not be asked
  kUnmeasured,       // over a period: not known all the time
  kOvercounted,      // more is counted than the store commits: coverage above its maximum
  kWindowNotFull,    // the store itself: measured for less long than its expressions look back
  kRulesDiffer,      // rules with different expressions record the series
};

// The one wording, without the signal's name and without figures: "no recorded series".
std::string_view CauseText(Cause cause);

// The stable name of logs and JSON: "absent". CauseFromId gives kNone for an unknown name.
std::string_view CauseId(Cause cause);
Cause CauseFromId(std::string_view id);

}  // namespace outgrown::engine
