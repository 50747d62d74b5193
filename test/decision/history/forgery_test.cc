// Records that were forged and sealed anew, with a hash chain that holds: what they say must follow from itself.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "decision/evaluation.h"
#include "decision/history/audit.h"
#include "decision/log/decision_log.h"
#include "decision/record/record.h"
#include "test/common/temporary_folder.h"
#include "test/decision/engine/sample_table.h"
#include "test/decision/memory_source.h"

using namespace outgrown;            // NOLINT(google-build-using-namespace): a test
using namespace outgrown::decision;  // NOLINT(google-build-using-namespace)
using namespace outgrown::history;   // NOLINT(google-build-using-namespace)
using outgrown::test::kMemoryE;
using outgrown::test::kMemoryT;
using outgrown::test::kSampleTable;
using outgrown::test::MemorySource;
using outgrown::test::TemporaryFolder;

namespace {

constexpr std::int64_t kLookBackMs = 3'600'000;

struct Change {
  std::string_view from;
  std::string_view to;
};

struct Forgery {
  std::string_view what;
  std::vector<Change> changes;
  std::string_view problem;  // what the audit says of it, in part
};

// The record of one store over the last hour.
std::string PeriodRecord(MemorySource& source) {
  Evaluation evaluation = EvaluateMeasured(kSampleTable, source, kMemoryT);
  LookBack(evaluation, source, kMemoryT - kLookBackMs);
  return Recorder(evaluation, "test").Decision(evaluation.stores.at(0));
}

std::string HealthyPeriod() {
  MemorySource source;
  source.AddHealthyStore("a");
  return PeriodRecord(source);
}

// A breach that lasted from kMemoryE - 450'000 on for 5 evaluations, and is over.
std::string BurstPeriod() {
  MemorySource source;
  source.AddHealthyStore("a");
  for (auto& sample : source.recorded["checkpoint:write_error_ratio"]["a"]) {
    const std::int64_t ago_ms = kMemoryE - sample.time_ms;
    if (ago_ms <= 750'000 && ago_ms > 300'000) sample.value = 0.02;
  }
  return PeriodRecord(source);
}

std::string Decision() {
  MemorySource source;
  source.AddHealthyStore("a");
  const Evaluation evaluation = EvaluateMeasured(kSampleTable, source, kMemoryT);
  return Recorder(evaluation, "test").Decision(evaluation.stores.at(0));
}

std::string NoStore() {
  MemorySource source;
  return Recorder(EvaluateMeasured(kSampleTable, source, kMemoryT), "test").Attempt();
}

std::vector<std::string> ProblemsOf(const std::string& record) {
  const TemporaryFolder folder;
  REQUIRE(decision_log::AppendRecords(folder.path() / "log", {record}, 0).ok());
  return Audit({folder.path() / "log"}).value().problems;
}

void CheckForgeries(const std::string& honest, const std::vector<Forgery>& forgeries) {
  const std::vector<std::string> nothing = ProblemsOf(honest);
  REQUIRE(nothing == std::vector<std::string>());
  for (const Forgery& forgery : forgeries) {
    CAPTURE(forgery.what);
    std::string forged = honest;
    for (const Change& change : forgery.changes) {
      const std::size_t at = forged.find(change.from);
      REQUIRE(at != std::string::npos);
      forged.replace(at, change.from.size(), change.to);
    }
    const std::vector<std::string> problems = ProblemsOf(forged);
    const std::string problem = problems.empty() ? "none" : problems.front();
    CHECK(problems.size() == 1);
    CAPTURE(problem);
    CHECK(problem.find(forgery.problem) != std::string::npos);
  }
}

}  // namespace

TEST_CASE("a period's breach that no recorded sample shows doesn't follow") {
  const Change invented = {
      R"("verdict":"sufficient","line":"SQLite sufficient")",
      R"x("verdict":"migrate_now","line":"MIGRATE NOW - Write errors >1% (SQLite saturated)")x"};
  CheckForgeries(HealthyPeriod(),
                 {{"a verdict with a breach in the period alone",
                   {invented,
                    {R"("threshold":"WriteErrors","breached_evaluations":0,"longest_beyond_ms":0)",
                     R"("threshold":"WriteErrors","breached_evaluations":9,"first_ms":1789999560000,)"
                     R"("last_ms":1789999800000,"longest_beyond_ms":540000)"},
                    {R"("extreme":[1789996440000,0.001])", R"("extreme":[1789999800000,0.02])"}},
                   "the inputs of that breach are missing"},
                  {"a verdict without any breach", {invented}, "its verdict"},
                  {"a sufficient period of which a part was not measured",
                   {{R"("unmeasured":[])", R"("unmeasured":[[1789999500000,1789999900000]])"}},
                   "its verdict"},
                  {"one of which too much is unknown, and nothing unmeasured",
                   {{R"("unknown_ms":0)", R"("unknown_ms":3000000)"}},
                   "unknown for longer than is tolerated"},
                  {"a period that ends at another time than the decision's",
                   {{R"("to_ms":1790000017000)", R"("to_ms":1790000016000)"}},
                   "its period doesn't end at its time"},
                  {"a period that ends before it begins",
                   {{R"("from_ms":1789996417000)", R"("from_ms":1790000018000)"}},
                   "its period ends before it begins"},
                  {"a stretch that ends at no time",
                   {{R"("unmeasured":[])", R"("unmeasured":[[1789999800000,"NaN"]])"}},
                   "two times are expected"}});
}

TEST_CASE("a period's breach is what its samples and its summary show") {
  const std::string burst = BurstPeriod();
  const Change breach = {R"("breached_evaluations":5,"first_ms":1789999560000,"last_ms":1789999680000)",
                         R"("breached_evaluations":0)"};
  const Change sufficient = {
      R"x("verdict":"migrate_now","line":"MIGRATE NOW - Write errors >1% (SQLite saturated)")x",
      R"("verdict":"sufficient","line":"SQLite sufficient")"};
  CheckForgeries(burst, {{"a verdict that its breach contradicts", {sufficient}, "its verdict"},
                         {"a summary without the breach that its samples show",
                          {sufficient, breach},
                          "beyond its limit for long enough"},
                         {"samples that show no breach", {{",0.02]]", ",0.002]]"}}, "don't show that breach"},
                         {"no samples of the breach",
                          {{R"("breached_at_ms":1789999560000,)", ""}},
                          "the inputs of that breach are missing"},
                         {"a breach of a condition that held for less than its `for`",
                          {{R"("longest_beyond_ms":420000)", R"("longest_beyond_ms":60000)"}},
                          "no value beyond its limit for long enough"},
                         {"a breach of a limit that was never passed",
                          {{R"("extreme":[1789999260000,0.02])", R"("extreme":[1789999260000,0.001])"}},
                          "no value beyond its limit for long enough"}});
}

TEST_CASE("an attempt decides nothing") {
  const std::string line =
      R"("line":"UNDETERMINED - no store found: no series checkpoint_block_up for 26 hours")";
  CheckForgeries(
      NoStore(),
      {{"a verdict without a store",
        {{R"("verdict":"undetermined")", R"("verdict":"migrate_now")"},
         {line, R"("line":"MIGRATE NOW - invented")"}},
        "\"migrate_now\""},
       {"a line that is none of an attempt", {{line, R"("line":"SQLite sufficient")"}}, "its line"}});
}

TEST_CASE("a line is of its verdict") {
  CheckForgeries(
      Decision(),
      {{"of another", {{R"("line":"SQLite sufficient")", R"("line":"MIGRATE NOW - invented")"}}, "its line"},
       {"longer",
        {{R"("line":"SQLite sufficient")", R"("line":"SQLite sufficiently broken")"}},
        "its line"}});
}

TEST_CASE("a record of an unknown kind or origin, or with two times, is a problem") {
  const std::vector<Forgery> times = {
      {"another time in words",
       {{R"("time":"2026-09-21T14:13:37.000Z")", R"("time":"2026-09-20T14:13:37.000Z")"}},
       "its \"time\""},
      {"no time in words", {{R"("time":"2026-09-21T14:13:37.000Z",)", ""}}, "its \"time\""},
      {"a kind that there is not", {{R"("kind":")", R"("kind":"x)"}}, "its kind"},
      {"an origin that there is not", {{R"("origin":"prometheus")", R"("origin":"invented")"}}, "its origin"},
  };
  CheckForgeries(Decision(), times);
  CheckForgeries(NoStore(), times);
  CheckForgeries(Decision(), {{"no kind", {{R"("kind":"decision",)", ""}}, "\"kind\""},
                              {"a time beyond all calendars",
                               {{R"("time_ms":1790000017000)", R"("time_ms":8000000000000000)"}},
                               "time"}});
}
