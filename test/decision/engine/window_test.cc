#include "decision/engine/window.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "test/decision/engine/sample_table.h"

using namespace outgrown;          // NOLINT(google-build-using-namespace): a test
using namespace outgrown::engine;  // NOLINT(google-build-using-namespace)

namespace {

constexpr std::int64_t kE = 1'800'000'000'000;  // an evaluation's time
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

// One sample a character, an interval apart, the last at kE: 't' beyond the limit of 1, 'f' at it, '.' none,
// 'n' NaN, 'i' Inf.
std::vector<Sample> History(std::string_view picture) {
  std::vector<Sample> samples;
  std::int64_t time_ms = kE - static_cast<std::int64_t>(picture.size() - 1) * test::kIntervalMs;
  for (const char mark : picture) {
    if (mark != '.') {
      const double value = mark == 't'   ? 1.5
                           : mark == 'f' ? 1.0
                           : mark == 'n' ? kNan
                                         : kInf;  // NOLINT(bugprone-narrowing-conversions): all are double
      samples.push_back({time_ms, value});
    }
    time_ms += test::kIntervalMs;
  }
  return samples;
}

ThresholdRow Above(std::int64_t hold_ms) {
  ThresholdRow threshold = test::kSampleThresholds[test::kMultiServer];
  threshold.limit = 1;
  threshold.hold_ms = hold_ms;
  return threshold;
}

Finding Judge(const std::vector<Sample>& samples, std::int64_t hold_ms, std::int64_t now_ms = kE) {
  return JudgeWindow(Above(hold_ms), {.samples = samples}, {}, {now_ms, test::kIntervalMs});
}

std::string Say(const Finding& finding) {
  std::string text(StateId(finding.state));
  if (finding.cause != Cause::kNone) text += " " + std::string(CauseId(finding.cause));
  return text;
}

}  // namespace

TEST_CASE("walking back from E, the first evaluation that is not true decides") {
  struct Case {
    std::string_view history;
    std::int64_t hold_s;
    std::string_view expected;
  };
  const std::vector<Case> cases = {
      {"", 300, "unknown absent"},
      {"f", 300, "not_breached"},
      {"t", 0, "breached"},
      {"t", 300, "unknown too_few_samples"},
      {"ftttttttttt", 300, "pending"},    // 10 true: 4 min 30 s
      {"fttttttttttt", 300, "breached"},  // 11 true: 5 min
      {"ttttttttttt", 300, "breached"},   // 11 true and nothing before
      {"tttttttttt", 300, "unknown too_few_samples"},
      {"tttttttttttttttf", 300, "not_breached"},
      {"........f", 300, "not_breached"},  // however short the history
      {"t...tttttf", 300, "not_breached"},
      {"ftttttt.tttt", 300, "unknown hole"},
      {"t.ttttttttttt", 300, "breached"},      // the hole lies before the window
      {"tt.tttttttttt", 300, "unknown hole"},  // 10 true after it
      {"fttttft", 300, "pending"},
      {"t.ft", 300, "pending"},       // false nearer than the hole
      {"f.tt", 300, "unknown hole"},  // the hole nearer than false
      {"ttttttttttn", 300, "unknown not_finite"},
      {"tttttnttttt", 300, "unknown not_finite"},
      {"ntttttttttttt", 300, "breached"},
      {"tttttittttt", 300, "unknown not_finite"},
      {"i", 0, "unknown not_finite"},
      {"fftf", 0, "not_breached"},
      {"ffft", 0, "breached"},
      {"tt", 30, "breached"},
      {"ft", 30, "pending"},
      {"ttt", 45, "breached"},  // `for` between evaluations: the first one not after E - 45 s
      {"ftt", 45, "pending"},
  };
  for (const Case& example : cases) {
    CAPTURE(example.history);
    CAPTURE(example.hold_s);
    CHECK(Say(Judge(History(example.history), example.hold_s * 1000)) == example.expected);
  }
}

TEST_CASE("the newest sample may be two intervals old and no older, with T on an evaluation or between two") {
  const std::vector<Sample> samples = History("ttttttttttt");
  for (const std::int64_t later_ms : {0, 1, 15'000, 30'000, 59'999, 60'000}) {
    CAPTURE(later_ms);
    CHECK(Say(Judge(samples, 300'000, kE + later_ms)) == "breached");
  }
  CHECK(Say(Judge(samples, 300'000, kE + 60'001)) == "unknown stale");
  CHECK(Say(Judge(History("f"), 0, kE + 60'001)) == "unknown stale");
}

TEST_CASE("a late evaluation is no hole until one and a half intervals have passed") {
  CHECK(Say(Judge({{kE - 45'000, 2}, {kE, 2}}, 40'000)) == "breached");
  CHECK(Say(Judge({{kE - 45'001, 2}, {kE, 2}}, 40'000)) == "unknown hole");
}

TEST_CASE("the direction and the limit are strict") {
  ThresholdRow threshold = Above(0);
  const std::vector<Sample> at_limit = {{kE, 1.0}};
  const std::vector<Sample> just_above = {{kE, std::nextafter(1.0, 2.0)}};
  const std::vector<Sample> just_below = {{kE, std::nextafter(1.0, 0.0)}};
  const auto state = [&](const std::vector<Sample>& samples) {
    return JudgeWindow(threshold, {.samples = samples}, {}, {kE, test::kIntervalMs}).state;
  };
  CHECK(state(at_limit) == State::kNotBreached);
  CHECK(state(just_above) == State::kBreached);
  CHECK(state(just_below) == State::kNotBreached);
  threshold.direction = Direction::kBelow;
  CHECK(state(at_limit) == State::kNotBreached);
  CHECK(state(just_above) == State::kNotBreached);
  CHECK(state(just_below) == State::kBreached);
}

TEST_CASE("since when it has held reaches as far back as the samples prove") {
  const Finding exact = Judge(History("fftttttttttttttttt"), 300'000);
  CHECK(exact.state == State::kBreached);
  CHECK(exact.since_ms == kE - 15 * test::kIntervalMs);
  CHECK(exact.since_exact);
  const Finding open = Judge(History("tttttttttttttttt"), 300'000);
  CHECK(open.since_ms == kE - 15 * test::kIntervalMs);
  CHECK_FALSE(open.since_exact);
  const Finding after_hole = Judge(History("f.tttttttttttttttt"), 300'000);
  CHECK(after_hole.since_ms == kE - 15 * test::kIntervalMs);
  CHECK_FALSE(after_hole.since_exact);
  const Finding pending = Judge(History("fttt"), 300'000);
  CHECK(pending.since_ms == kE - 2 * test::kIntervalMs);
  CHECK(pending.since_exact);
}

TEST_CASE("the samples that a finding rests on give the same state on their own") {
  // Every history of 12 evaluations over {true, false, missing, NaN}, with `for` from 0 to 5 intervals.
  const std::string_view marks = "tf.n";
  for (int code = 0; code < 1 << 16; ++code) {
    std::string picture = "ffff";
    for (int digit = 0; digit < 8; ++digit)
      picture += marks[static_cast<std::size_t>(code >> (2 * digit)) & 3U];
    const std::vector<Sample> samples = History(picture);
    for (std::int64_t hold_ms = 0; hold_ms <= 5 * test::kIntervalMs; hold_ms += test::kIntervalMs) {
      const Finding whole = Judge(samples, hold_ms);
      const std::vector<Sample> used(samples.end() - static_cast<std::ptrdiff_t>(whole.samples_used),
                                     samples.end());
      const Finding again = Judge(used, hold_ms);
      if (again.state != whole.state || again.cause != whole.cause) {
        CAPTURE(picture);
        CAPTURE(hold_ms);
        CHECK(Say(again) == Say(whole));
      }
    }
  }
}

TEST_CASE(
    "what is worth nothing while writes go uncounted is unknown, and a lower bound proves what it can") {
  struct Case {
    Uncovered uncovered;
    Direction direction;
    std::string_view history;   // of the signal
    std::string_view coverage;  // 'f' covered (1), 't' not (0.5), '.' no sample, 'n' NaN
    std::string_view expected;
  };
  using enum Uncovered;
  using enum Direction;
  const std::vector<Case> cases = {
      {kValid, kAbove, "ttt", "...", "breached"},
      {kUnknown, kAbove, "ttt", "fff", "breached"},
      {kUnknown, kAbove, "tttf", "ffff", "not_breached"},
      {kUnknown, kAbove, "ttt", "fft", "unknown not_covered"},
      {kUnknown, kAbove, "fff", "fft", "unknown not_covered"},
      {kUnknown, kAbove, "ttt", "ftf", "unknown not_covered"},  // uncovered in the window: not proven
      {kUnknown, kAbove, "tttt", "tfff", "breached"},           // before the window
      {kUnknown, kAbove, "fff", "ttf", "not_breached"},
      {kUnknown, kAbove, "fff", "...", "unknown coverage_unknown"},
      {kUnknown, kAbove, "ffff", "f...", "unknown coverage_unknown"},  // three intervals old
      {kUnknown, kAbove, "ffff", ".f..", "not_breached"},              // two are allowed
      {kUnknown, kAbove, "fff", "ffn", "unknown coverage_unknown"},
      {kLowerBound, kAbove, "ttt", "ttt", "breached"},
      {kLowerBound, kAbove, "ttt", "...", "breached"},
      {kLowerBound, kAbove, "fff", "fft", "unknown not_covered"},
      {kLowerBound, kAbove, "fff", "...", "unknown coverage_unknown"},
      {kLowerBound, kAbove, "fff", "fff", "not_breached"},
      {kLowerBound, kAbove, "tft", "ftf", "unknown not_covered"},  // that dip may be uncounted writes
      {kLowerBound, kBelow, "ttt", "ttt", "not_breached"},         // beyond 1, and no lower in truth
      {kLowerBound, kBelow, "fff", "fff", "not_breached"},
  };
  for (const Case& example : cases) {
    CAPTURE(example.history);
    CAPTURE(example.coverage);
    ThresholdRow threshold = Above(60'000);
    threshold.direction = example.direction;
    const std::vector<Sample> samples = History(example.history);
    std::vector<Sample> coverage = History(example.coverage);
    for (Sample& sample : coverage)
      sample.value = sample.value == 1.0 ? 1.0 : sample.value == 1.5 ? 0.5 : kNan;
    const Finding finding =
        JudgeWindow(threshold, {.samples = samples},
                    {.uncovered = example.uncovered, .minimum = 0.95, .reading = {.samples = coverage}},
                    {kE, test::kIntervalMs});
    CHECK(Say(finding) == example.expected);
  }
}

TEST_CASE("coverage exactly at its minimum is covered") {
  const std::vector<Sample> samples = {{kE, 1.5}};
  for (const double value : {0.95, std::nextafter(0.95, 0.0)}) {
    const std::vector<Sample> coverage = {{kE, value}};
    const Finding finding =
        JudgeWindow(Above(0), {.samples = samples},
                    {.uncovered = Uncovered::kUnknown, .minimum = 0.95, .reading = {.samples = coverage}},
                    {kE, test::kIntervalMs});
    CHECK(Say(finding) == (value == 0.95 ? "breached" : "unknown not_covered"));
  }
}

TEST_CASE(
    "more counted than committed: what rests on the counting is unknown, a lower bound goes by the commits") {
  struct Case {
    Uncovered uncovered;
    double value;  // 1.5 is beyond the limit
    double coverage;
    std::string_view expected;
  };
  const std::vector<Case> cases = {
      {Uncovered::kUnknown, 1.5, 1.05, "breached"},
      {Uncovered::kUnknown, 1.5, std::nextafter(1.05, 2.0), "unknown overcounted"},
      {Uncovered::kUnknown, 0.5, 40, "unknown overcounted"},
      {Uncovered::kLowerBound, 1.5, 40, "breached"},
      {Uncovered::kLowerBound, 0.5, 40, "not_breached"},
      {Uncovered::kValid, 0.5, 40, "not_breached"},
  };
  for (const Case& example : cases) {
    CAPTURE(example.coverage);
    const std::vector<Sample> samples = {{kE, example.value}};
    const std::vector<Sample> coverage = {{kE, example.coverage}};
    const Finding finding = JudgeWindow(
        Above(0), {.samples = samples},
        {.uncovered = example.uncovered, .minimum = 0.95, .maximum = 1.05, .reading = {.samples = coverage}},
        {kE, test::kIntervalMs});
    CHECK(Say(finding) == example.expected);
  }
}

TEST_CASE("a reading with a cause is unknown for that cause") {
  for (const Cause cause :
       {Cause::kAbsent, Cause::kSeveralSeries, Cause::kPartialAnswer, Cause::kQueryFailed}) {
    const Finding finding = JudgeWindow(Above(0), {.cause = cause}, {}, {kE, test::kIntervalMs});
    CHECK(finding.state == State::kUnknown);
    CHECK(finding.cause == cause);
  }
}
