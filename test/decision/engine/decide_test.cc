#include "decision/engine/decide.h"

#include <array>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "test/decision/engine/sample_table.h"

using namespace outgrown;          // NOLINT(google-build-using-namespace): a test
using namespace outgrown::engine;  // NOLINT(google-build-using-namespace)
using outgrown::test::kSampleTable;

namespace {

constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();
constexpr double kGigabyte = 1024.0 * 1024.0 * 1024.0;
constexpr std::int64_t kEvaluatedMs = 1'800'000'000'000;

using Findings = std::array<Finding, test::kSampleThresholds.size()>;

std::string Line(const Decision& decision) {
  const std::string_view because = Because(kSampleTable, decision);
  return std::string(VerdictText(kSampleTable, decision)) + (because.empty() ? "" : " - ") +
         std::string(because);
}

// A store whose signals are healthy all along; tests change what they are about.
struct Healthy {
  std::array<std::vector<Sample>, test::kSampleSignals.size()> samples;
  std::array<Reading, test::kSampleSignals.size()> readings;
  std::vector<Sample> coverage;

  Healthy() {
    const std::array<double, 5> values = {0.001, 20, 1, kGigabyte, 0.02};
    for (std::size_t signal = 0; signal < values.size(); ++signal) Set(signal, values[signal]);
    for (int back = 40; back >= 0; --back) coverage.push_back({kEvaluatedMs - back * test::kIntervalMs, 1});
  }
  // `value` at each of the newest `evaluations`, 0 before.
  void Set(std::size_t signal, double value, int evaluations = 41) {
    samples[signal].clear();
    for (int back = 40; back >= 0; --back) {
      samples[signal].push_back({kEvaluatedMs - back * test::kIntervalMs, back < evaluations ? value : 0});
    }
    readings[signal].samples = samples[signal];
  }
  Decision Decide(Findings& findings, Cause presence = Cause::kNone) const {
    const Measurements measurements = {.time_ms = kEvaluatedMs,
                                       .presence = presence,
                                       .signals = readings,
                                       .coverage = {.samples = coverage}};
    return outgrown::engine::Decide(kSampleTable, measurements, findings);
  }
};

}  // namespace

TEST_CASE("given numbers print the design's lines word for word") {
  struct Case {
    std::array<double, 5> values;  // error ratio, writes per second, servers, bytes, P99 seconds
    std::string_view line;
  };
  const std::vector<Case> cases = {
      {{0.001, 20, 1, kGigabyte, 0.02}, "SQLite sufficient"},
      {{0.02, 20, 1, kGigabyte, 0.02}, "MIGRATE NOW - Write errors >1% (SQLite saturated)"},
      {{0.001, 120, 1, kGigabyte, 0.02}, "MIGRATE NOW - Throughput >100/sec (capacity ceiling)"},
      {{0.001, 20, 2, kGigabyte, 0.02}, "MIGRATE NOW - Multi-server requires network DB"},
      {{0.001, 90, 1, kGigabyte, 0.02}, "MIGRATE SOON - Throughput >80/sec (approaching capacity ceiling)"},
      {{0.001, 20, 1, 6 * kGigabyte, 0.02}, "MIGRATE SOON - File size >5GB (performance degradation likely)"},
      {{0.001, 20, 1, kGigabyte, 0.2}, "MIGRATE SOON - P99 write latency >100ms (lock contention likely)"},
      // Strict limits.
      {{0.01, 80, 1, 5 * kGigabyte, 0.1}, "SQLite sufficient"},
      {{0.01, 100, 1, 5 * kGigabyte, 0.1},
       "MIGRATE SOON - Throughput >80/sec (approaching capacity ceiling)"},
      {{0, 0, 1, 0, 0}, "SQLite sufficient"},
      // The most severe verdict, and of those the first in table order.
      {{0.02, 120, 2, 6 * kGigabyte, 0.2}, "MIGRATE NOW - Write errors >1% (SQLite saturated)"},
      {{0.001, 120, 2, 6 * kGigabyte, 0.2}, "MIGRATE NOW - Throughput >100/sec (capacity ceiling)"},
      {{0.001, 20, 2, 6 * kGigabyte, 0.2}, "MIGRATE NOW - Multi-server requires network DB"},
      {{0.001, 20, 1, 6 * kGigabyte, 0.2}, "MIGRATE SOON - File size >5GB (performance degradation likely)"},
      // What was left out.
      {{kNotANumber, 20, 1, kGigabyte, 0.02}, "UNDETERMINED"},
      {{kNotANumber, kNotANumber, kNotANumber, kNotANumber, kNotANumber}, "UNDETERMINED"},
      {{kNotANumber, kNotANumber, 2, kNotANumber, kNotANumber},
       "MIGRATE NOW - Multi-server requires network DB"},
      {{kNotANumber, 20, 1, 6 * kGigabyte, 0.02},
       "MIGRATE SOON - File size >5GB (performance degradation likely)"},
  };
  for (const Case& example : cases) {
    Findings findings;
    CAPTURE(example.line);
    CHECK(Line(DecideGiven(kSampleTable, example.values, findings)) == example.line);
  }
}

TEST_CASE("something unknown that could be worse than the verdict is reported") {
  struct Case {
    std::array<double, 5> values;
    bool worse_unknown;
  };
  const std::vector<Case> cases = {
      {{0.001, 20, 1, kGigabyte, 0.02}, false},
      {{kNotANumber, 20, 1, kGigabyte, 0.02}, true},        // undetermined
      {{kNotANumber, 20, 1, 6 * kGigabyte, 0.02}, true},    // soon, and errors would be now
      {{0.001, 20, 1, 6 * kGigabyte, kNotANumber}, false},  // soon, and latency would be soon as well
      {{0.02, kNotANumber, kNotANumber, kNotANumber, kNotANumber}, false},  // nothing is worse than now
  };
  for (const Case& example : cases) {
    Findings findings;
    CHECK(DecideGiven(kSampleTable, example.values, findings).worse_unknown == example.worse_unknown);
  }
}

TEST_CASE("a store is sufficient only if every threshold was measured") {
  Findings findings;
  CHECK(Line(Healthy().Decide(findings)) == "SQLite sufficient");
  for (std::size_t signal = 0; signal < test::kSampleSignals.size(); ++signal) {
    Healthy store;
    store.readings[signal] = {.cause = Cause::kQueryFailed};
    const Decision decision = store.Decide(findings);
    CAPTURE(signal);
    CHECK(decision.outcome == Outcome::kUndetermined);
    CHECK(decision.cause == Cause::kQueryFailed);
    CHECK(kSampleTable.thresholds[decision.lead].signal == signal);
  }
}

TEST_CASE("a breach just long enough leads to the verdict, one evaluation less is pending and healthy") {
  Findings findings;
  Healthy store;
  store.Set(test::kErrorRatio, 0.02, 11);
  CHECK(Line(store.Decide(findings)) == "MIGRATE NOW - Write errors >1% (SQLite saturated)");
  store.Set(test::kErrorRatio, 0.02, 10);
  const Decision pending = store.Decide(findings);
  CHECK(Line(pending) == "SQLite sufficient");
  CHECK(findings[test::kWriteErrors].state == State::kPending);
  CHECK(pending.pending == test::kWriteErrors);
  CHECK(findings[pending.pending].since_ms == kEvaluatedMs - 9 * test::kIntervalMs);
}

TEST_CASE("of what is pending the most severe is reported, beside any verdict") {
  Findings findings;
  Healthy store;
  CHECK(store.Decide(findings).pending == kNoThreshold);
  store.Set(test::kWritesPerSecond, 90, 5);
  CHECK(store.Decide(findings).pending == test::kThroughputApproaching);
  store.Set(test::kWritesPerSecond, 120, 5);
  CHECK(store.Decide(findings).pending == test::kThroughput);
  store.Set(test::kFileSize, 6 * kGigabyte);
  const Decision soon = store.Decide(findings);
  CHECK(Line(soon) == "MIGRATE SOON - File size >5GB (performance degradation likely)");
  CHECK(soon.pending == test::kThroughput);
}

TEST_CASE(
    "a store that is not measured for as long as its expressions look back is undetermined, and a breach "
    "stands") {
  Findings findings;
  Healthy store;
  const Decision young = store.Decide(findings, Cause::kWindowNotFull);
  CHECK(young.outcome == Outcome::kUndetermined);
  CHECK(young.cause == Cause::kWindowNotFull);
  CHECK(young.lead == kNoThreshold);
  CHECK(young.worse_unknown);
  store.readings[test::kErrorRatio] = {.cause = Cause::kAbsent};
  CHECK(store.Decide(findings, Cause::kWindowNotFull).cause == Cause::kWindowNotFull);
  const std::vector<Sample> beyond = {{kEvaluatedMs - test::kIntervalMs, 0.02}, {kEvaluatedMs, 0.02}};
  store.readings[test::kErrorRatio] = {.samples = beyond};
  const Decision rising = store.Decide(findings, Cause::kWindowNotFull);
  CHECK(rising.cause == Cause::kTooFewSamples);
  CHECK(rising.lead == 0);
  CHECK(rising.worse_unknown);
  store.Set(test::kServers, 2);
  CHECK(Line(store.Decide(findings, Cause::kWindowNotFull)) ==
        "MIGRATE NOW - Multi-server requires network DB");
}

TEST_CASE("a proven breach gives its verdict whatever is unknown elsewhere") {
  Findings findings;
  Healthy store;
  store.Set(test::kFileSize, 6 * kGigabyte);
  store.readings[test::kErrorRatio] = {.cause = Cause::kAbsent};
  const Decision decision = store.Decide(findings, Cause::kSilent);
  CHECK(Line(decision) == "MIGRATE SOON - File size >5GB (performance degradation likely)");
  CHECK(decision.worse_unknown);
}

TEST_CASE("a silent store is undetermined however healthy its last samples are") {
  Findings findings;
  for (const Cause presence : {Cause::kSilent, Cause::kPresenceUnknown}) {
    const Decision decision = Healthy().Decide(findings, presence);
    CHECK(decision.outcome == Outcome::kUndetermined);
    CHECK(decision.cause == presence);
    CHECK(decision.lead == kNoThreshold);
    CHECK(decision.worse_unknown);
  }
}

TEST_CASE(
    "with no counting at all, size, servers and commit rate still prove a migration, and nothing proves "
    "health") {
  Findings findings;
  Healthy store;
  store.coverage.clear();
  store.readings[test::kErrorRatio] = {.cause = Cause::kAbsent};
  store.readings[test::kWriteP99] = {.cause = Cause::kAbsent};
  CHECK(store.Decide(findings).outcome == Outcome::kUndetermined);
  store.Set(test::kWritesPerSecond, 120);
  CHECK(Line(store.Decide(findings)) == "MIGRATE NOW - Throughput >100/sec (capacity ceiling)");
}

TEST_CASE("a table without coverage takes every signal at its word") {
  Table table = kSampleTable;
  table.coverage_series = "";
  const Healthy store;
  Findings findings;
  const Decision decision =
      outgrown::engine::Decide(table, {.time_ms = kEvaluatedMs, .signals = store.readings}, findings);
  CHECK(decision.outcome == Outcome::kSufficient);
}

TEST_CASE("every cause has a wording and a name of its own") {
  std::set<std::string_view> texts;
  std::set<std::string_view> ids;
  int causes = 0;
  for (int index = 0; index <= static_cast<int>(Cause::kWindowNotFull); ++index, ++causes) {
    const Cause cause = static_cast<Cause>(index);
    texts.insert(CauseText(cause));
    ids.insert(CauseId(cause));
    CHECK(CauseFromId(CauseId(cause)) == cause);
  }
  CHECK(texts.size() == static_cast<std::size_t>(causes));
  CHECK(ids.size() == static_cast<std::size_t>(causes));
  CHECK(CauseFromId("no such cause") == Cause::kNone);
}
