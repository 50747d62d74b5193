#include "decision/measure/known_time.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "test/support/rounds.h"

using namespace outgrown;            // NOLINT(google-build-using-namespace): a test
using namespace outgrown::decision;  // NOLINT(google-build-using-namespace)
using outgrown::engine::Cause;
using outgrown::test::Rounds;

namespace {

constexpr std::int64_t kIntervalMs = 30'000;
constexpr std::int64_t kFromMs = 1'790'000'000'000;

// Evaluations, the first one interval after the period's begin: F and T known, B true for `for`, . a missing sample,
// c coverage unknown, u uncounted writes, n NaN.
Unknown Walk(std::string_view evaluations, std::int64_t hold_ms, std::int64_t period_ms = 0) {
  ThresholdRow threshold;
  threshold.hold_ms = hold_ms;
  KnownTime known(threshold, kIntervalMs, kFromMs);
  std::int64_t time_ms = kFromMs;
  for (const char evaluation : evaluations) {
    time_ms += kIntervalMs;
    if (evaluation == 'F') known.Known(time_ms, KnownTime::Condition::kFalse);
    if (evaluation == 'T') known.Known(time_ms, KnownTime::Condition::kTrue);
    if (evaluation == 'B') known.Known(time_ms, KnownTime::Condition::kBreached);
    if (evaluation == 'c') known.NotKnown(Cause::kUnmeasured);
    if (evaluation == 'u') known.NotKnown(Cause::kNotCovered);
    if (evaluation == 'n') known.NotKnown(Cause::kNotFinite);
  }
  if (period_ms > 0) {  // the rest of a longer period is healthy
    for (; time_ms < kFromMs + period_ms; time_ms += kIntervalMs)
      known.Known(time_ms + kIntervalMs, KnownTime::Condition::kFalse);
  }
  known.End(time_ms);
  return known.Finish();
}

std::string Repeat(std::string_view text, int times) {
  std::string repeated;
  for (int time = 0; time < times; ++time) repeated += text;
  return repeated;
}

constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kDayMs = 86'400'000;

}  // namespace

TEST_CASE("what was not known is tolerated or not, as it may have hidden a breach") {
  struct Case {
    std::string_view what;
    std::string evaluations;
    std::int64_t hold_ms;
    Cause cause;  // kNone: tolerated
  };
  const std::int64_t five = 5 * kMinuteMs;
  const std::vector<Case> cases = {
      {"nothing missing", "FFFFTTFF", five, Cause::kNone},
      {"one sample of a healthy store", "FFF.FFF", five, Cause::kNone},
      {"one sample where a single one is a breach", "FFF.FFF", 0, Cause::kNone},
      {"a burst as long as `for`, one sample of it missing", "F" + Repeat("T", 10) + ".F", five,
       Cause::kHole},
      {"the same in its middle", "FTTTTT.TTTTTF", five, Cause::kHole},
      {"the same at its begin", "F." + Repeat("T", 10) + "F", five, Cause::kHole},
      {"one evaluation too short whatever was missing", "FTTTTT.TTTTF", five, Cause::kNone},
      {"beside a proven breach there is nothing to find", "F" + Repeat("T", 10) + "BBB.TTF", five,
       Cause::kNone},
      {"as long as Prometheus bridges", "F" + Repeat(".", 9) + "F", five, Cause::kNone},
      {"longer", "F" + Repeat(".", 10) + "F", five, Cause::kUnmeasured},
      {"whether writes go uncounted is not known, since that sample is missing", "FFcFF", five, Cause::kNone},
      {"that is not known for long", "F" + Repeat("c", 10) + "F", five, Cause::kUnmeasured},
      {"writes go uncounted", "FFuFF", five, Cause::kNotCovered},
      {"writes go uncounted beside missing samples", "FF.cu.FF", five, Cause::kNotCovered},
      {"a value that is no number", "FFnFF", five, Cause::kNotFinite},
      {"late at the end", "FFF.", five, Cause::kNone},
      {"uncounted at the end", "FFFu", five, Cause::kNotCovered},
  };
  for (const Case& example : cases) {
    CAPTURE(example.what);
    const Unknown unknown = Walk(Repeat("F", 120) + example.evaluations, example.hold_ms);
    CHECK(unknown.cause == example.cause);
    CHECK(unknown.stretches.empty() == (example.cause == Cause::kNone));
  }
}

TEST_CASE("many short stretches don't add up to a period that was mostly not measured") {
  struct Case {
    std::string_view what;
    std::string evaluations;
    std::int64_t period_ms;
    bool tolerated;
  };
  const std::vector<Case> cases = {
      {"a day, a hundredth of it", Repeat("F.", 28) + "F", kDayMs, true},
      {"a day, more than that", Repeat("F.", 29) + "F", kDayMs, false},
      {"an hour, five minutes of it", Repeat("F.", 10) + "F", 60 * kMinuteMs, true},
      {"an hour, more than that", Repeat("F.", 11) + "F", 60 * kMinuteMs, false},
      {"ten minutes, a tenth of them", "F.F.F", 10 * kMinuteMs, true},
      {"ten minutes, more than that", "F.F.F.F", 10 * kMinuteMs, false},
      {"nine of ten missing, over a day", Repeat(".........F", 288), kDayMs, false},
  };
  for (const Case& example : cases) {
    CAPTURE(example.what);
    const Unknown unknown = Walk(example.evaluations, 5 * kMinuteMs, example.period_ms);
    CHECK(unknown.stretches.empty() == example.tolerated);
    CHECK(unknown.stretches.size() <= kStretchesMax);
    std::int64_t missing = 0;
    for (const char evaluation : example.evaluations) missing += evaluation == '.' ? kIntervalMs : 0;
    CHECK(unknown.total_ms == missing);
  }
}

TEST_CASE("what lies before the period counts only where a run reaches from it into the period") {
  ThresholdRow threshold;
  threshold.hold_ms = 2 * kMinuteMs;
  const auto walk = [&](std::string_view before, std::string_view after) {
    KnownTime known(threshold, kIntervalMs, kFromMs);
    std::int64_t time_ms = kFromMs - static_cast<std::int64_t>(before.size()) * kIntervalMs;
    for (const char evaluation : std::string(before) + std::string(after)) {
      time_ms += kIntervalMs;
      if (evaluation == '.') continue;
      known.Known(time_ms, evaluation == 'F' ? KnownTime::Condition::kFalse : KnownTime::Condition::kTrue);
    }
    known.End(time_ms);
    return known.Finish();
  };
  const std::string healthy = Repeat("F", 60);
  CHECK(walk("FTT.TTF", healthy).stretches.empty());
  CHECK(walk("F.F.F.F.F.F", healthy).total_ms == 0);
  CHECK(walk("FT.T", "TTF" + healthy).cause == Cause::kHole);
  CHECK(walk("FT.", "TF" + healthy).stretches.empty());
  // However many gaps lie before the period, what is reported of those within it has its room.
  threshold.hold_ms = 60 * kMinuteMs;
  std::string gaps = "F";
  for (int pair = 0; pair < 40; ++pair) gaps += "T.";
  CHECK(walk(gaps + "T", "T" + Repeat(".", 8) + "T" + Repeat("F", 10)).stretches.size() == 1);
  threshold.hold_ms = 2 * kMinuteMs;
  // Whatever is reported lies within the period, in order.
  constexpr int kStories = 3 * 3 * 3 * 3 * 3;
  for (int before = 0; before < kStories; ++before) {
    for (int after = 0; after < kStories; ++after) {
      std::string story;
      for (int rest = before * kStories + after, index = 0; index < 10; ++index, rest /= 3)
        story += "FT."[rest % 3];
      std::int64_t end_ms = kFromMs;
      const std::string within = story.substr(5) + "FF";
      for (const auto& [from_ms, to_ms] : walk(story.substr(0, 5), within).stretches) {
        if (from_ms < end_ms || to_ms <= from_ms) FAIL_CHECK(story);
        end_ms = to_ms;
      }
      if (end_ms > kFromMs + static_cast<std::int64_t>(within.size()) * kIntervalMs) FAIL_CHECK(story);
    }
  }
}

// Of every story: could an alert have fired that the known evaluations don't prove, and was the condition ever seen true
// around it? The missing ones are taken as true.
TEST_CASE("of all short stories, those that may hide a breach beside what was seen of it are not tolerated") {
  const int length = Rounds(9, 11);
  constexpr int kNeeded = 4;  // evaluations, for a `for` of three intervals
  const std::string healthy = Repeat("F", 4 * length * 10);
  std::int64_t stories = 1;
  for (int index = 0; index < length; ++index) stories *= 3;
  int hiding = 0;
  for (std::int64_t story = 0; story < stories; ++story) {
    std::string evaluations = "F";
    for (std::int64_t rest = story, index = 0; index < length; ++index, rest /= 3)
      evaluations += "FT."[rest % 3];
    evaluations += "F";
    bool expected = false;
    for (std::size_t begin = 0; begin < evaluations.size();) {
      const std::size_t end = std::min(evaluations.find('F', begin), evaluations.size());
      const std::string_view run = std::string_view(evaluations).substr(begin, end - begin);
      const bool seen = run.find('T') != std::string_view::npos;
      const bool proven = run.find("TTTT") != std::string_view::npos;
      const bool missing = run.find('.') != std::string_view::npos;
      expected |= run.size() >= kNeeded && seen && missing && !proven;
      begin = end + 1;
    }
    // As the decision's window says it of a proven breach.
    std::size_t row = 0;
    for (char& evaluation : evaluations) {
      row = evaluation == 'T' ? row + 1 : 0;
      if (row >= kNeeded) evaluation = 'B';
    }
    hiding += expected ? 1 : 0;
    const Unknown unknown = Walk(evaluations + healthy, (kNeeded - 1) * kIntervalMs);
    const bool too_long = evaluations.find(Repeat(".", 10)) != std::string::npos;
    if (unknown.stretches.empty() == (expected || too_long)) FAIL_CHECK(evaluations);
  }
  CHECK(hiding > Rounds(1'000, 10'000));
}
