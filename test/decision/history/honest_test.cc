// No honest record is a problem: an audit that cries wolf is one that nobody reads.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "decision/evaluation.h"
#include "decision/history/audit.h"
#include "decision/log/decision_log.h"
#include "decision/record/record.h"
#include "test/common/temporary_folder.h"
#include "test/decision/engine/sample_table.h"
#include "test/decision/memory_source.h"
#include "test/support/rounds.h"

using namespace outgrown;            // NOLINT(google-build-using-namespace): a test
using namespace outgrown::decision;  // NOLINT(google-build-using-namespace)
using namespace outgrown::history;   // NOLINT(google-build-using-namespace)
using outgrown::test::kMemoryE;
using outgrown::test::kMemoryT;
using outgrown::test::kSampleTable;
using outgrown::test::MemorySource;
using outgrown::test::Rounds;
using outgrown::test::TemporaryFolder;

namespace {

constexpr std::int64_t kHourMs = 3'600'000;

std::vector<std::string> ProblemsOf(const std::vector<std::string>& records) {
  const TemporaryFolder folder;
  REQUIRE(decision_log::AppendRecords(folder.path() / "log", records, 0).ok());
  return Audit({folder.path() / "log"}).value().problems;
}

// The record of one store over a period.
std::string PeriodRecord(MemorySource& source, std::int64_t time_ms, std::int64_t period_ms) {
  Evaluation evaluation = EvaluateMeasured(kSampleTable, source, time_ms, period_ms);
  LookBack(evaluation, source, time_ms - period_ms);
  return Recorder(evaluation, "test").Decision(evaluation.stores.at(0));
}

// Gives the series runs of random lengths: healthy, at and beyond its limits, missing, no number.
void Disturb(MemorySource::Samples& samples, const std::vector<double>& values, std::mt19937_64& random) {
  MemorySource::Samples disturbed;
  std::size_t left = 0;
  double value = 0;
  bool missing = false;
  for (Sample sample : samples) {
    if (left == 0) {
      left = 1 + random() % (random() % 2 == 0 ? 4 : 30);
      missing = random() % 6 == 0;
      value =
          random() % 40 == 0 ? std::numeric_limits<double>::quiet_NaN() : values[random() % values.size()];
    }
    --left;
    sample.value = value;
    if (!missing) disturbed.push_back(sample);
  }
  samples = std::move(disturbed);
}

}  // namespace

TEST_CASE("whatever happened in a period, its record follows from itself") {
  const std::uint64_t seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  std::vector<std::string> records;
  const int rounds = Rounds(100, 2000);
  for (int round = 0; round < rounds; ++round) {
    MemorySource source;
    source.AddHealthyStore("a");
    const auto disturb = [&](std::string_view series, const std::vector<double>& values) {
      // Each tenth store stays healthy, since few of the others do.
      if (round % 10 != 0 && random() % 2 == 0)
        Disturb(source.recorded[std::string(series)]["a"], values, random);
    };
    disturb("checkpoint:write_error_ratio", {0.001, 0.01, 0.02, 0.5});
    disturb("checkpoint:writes_per_second", {20, 80, 90, 120});
    disturb("checkpoint:servers", {1, 1, 1, 2});
    disturb("checkpoint:file_size_bytes", {1e9, 6e9});
    disturb("checkpoint:write_p99_seconds", {0.02, 0.2});
    disturb("checkpoint:coverage_ratio", {1, 1, 0.5});
    const auto back_ms = static_cast<std::int64_t>(random() % 1'800'000);
    const auto period_ms = static_cast<std::int64_t>(60'000 + random() % (2 * kHourMs));
    records.push_back(PeriodRecord(source, kMemoryT - back_ms, period_ms));
  }
  const std::vector<std::string> problems = ProblemsOf(records);
  for (const std::string& problem : problems) FAIL_CHECK(problem);
  const auto count = [&](std::string_view text) {
    return std::ranges::count_if(
        records, [&](const std::string& record) { return record.find(text) != std::string::npos; });
  };
  // Of each kind there were some.
  for (const std::string_view kind :
       {"\"breached_at_ms\"", "\"verdict\":\"sufficient\"", "\"verdict\":\"undetermined\"",
        "\"verdict\":\"migrate_soon\"", "\"unmeasured_cause\""}) {
    CAPTURE(kind);
    CHECK(count(kind) > 0);
  }
}

TEST_CASE("an honest period that begins within a burst of which a sample is missing follows") {
  struct Case {
    std::string_view what;
    int first;                // of the burst, in evaluations before the period
    std::string_view series;  // of which a sample is missing
    int missing;              // which one
  };
  const std::vector<Case> cases = {
      {"a sample of the ratio before the period", 8, "checkpoint:write_error_ratio", 3},
      {"the first that the period looks at", 14, "checkpoint:write_error_ratio", 13},
      {"coverage from the first that the period looks at on", 14, "checkpoint:coverage_ratio", 40},
      {"a sample after the period's beginning", 8, "checkpoint:write_error_ratio", -2},
  };
  for (const Case& example : cases) {
    CAPTURE(example.what);
    MemorySource source;
    source.AddHealthyStore("a");
    const std::int64_t from_ms = kMemoryT - kHourMs;
    const auto before = [&](const Sample& sample) { return (from_ms + 23'000 - sample.time_ms) / 30'000; };
    for (Sample& sample : source.recorded["checkpoint:write_error_ratio"]["a"]) {
      if (before(sample) <= example.first && before(sample) > -5) sample.value = 0.02;
    }
    std::erase_if(source.recorded[std::string(example.series)]["a"], [&](const Sample& sample) {
      return example.missing == 40 ? before(sample) >= 4 : before(sample) == example.missing;
    });
    const std::string record = PeriodRecord(source, kMemoryT, kHourMs);
    CAPTURE(record);
    CHECK(ProblemsOf({record}) == std::vector<std::string>());
  }
}

TEST_CASE(
    "an honest attempt's line follows from its queries, however many were answered and however far it looked "
    "back") {
  MemorySource source;
  constexpr std::int64_t kMonthMs = 720 * kHourMs;
  const std::string month =
      Recorder(EvaluateMeasured(kSampleTable, source, kMemoryT, kMonthMs), "test").Attempt();
  CHECK(month.find("no series checkpoint_block_up for 720 hours") != std::string::npos);
  CHECK(ProblemsOf({month}) == std::vector<std::string>());
  for (const std::string& query : source.asked) source.failing[query] = "refused";
  const std::string nothing =
      Recorder(EvaluateMeasured(kSampleTable, source, kMemoryT, kMonthMs), "test").Attempt();
  CHECK(nothing.find("answered no query") != std::string::npos);
  CHECK(ProblemsOf({nothing}) == std::vector<std::string>());
  source.failing.clear();
  source.present["a"] = kMemoryE;
  for (const std::string& query : source.asked) {
    source.changing[query] = [](prometheus_api::Answer& answer) {
      for (prometheus_api::Series& series : answer.series)
        std::erase_if(series.labels, [](const auto& label) { return label.first == "database"; });
    };
  }
  const std::string without_identity =
      Recorder(EvaluateMeasured(kSampleTable, source, kMemoryT, kMonthMs), "test").Attempt();
  CHECK(without_identity.find("name a store (job, instance, database)") != std::string::npos);
  CHECK(ProblemsOf({without_identity}) == std::vector<std::string>());
}
