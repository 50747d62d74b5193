// What "sufficient" rests on: a window that is full, a coverage that is in order or says why not.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "decision/evaluation.h"
#include "decision/history/audit.h"
#include "decision/log/decision_log.h"
#include "decision/record/record.h"
#include "decision/report/report_text.h"
#include "decision/report/wording.h"
#include "test/common/temporary_folder.h"
#include "test/decision/engine/sample_table.h"
#include "test/decision/memory_source.h"

using namespace outgrown;            // NOLINT(google-build-using-namespace): a test
using namespace outgrown::decision;  // NOLINT(google-build-using-namespace)
using outgrown::test::kMemoryE;
using outgrown::test::kMemoryT;
using outgrown::test::MemorySource;

namespace {

const Table& kWindowed = test::SampleTableWithWindows();
const std::string kWindowQuery =
    "count by (job, instance, database) (last_over_time(checkpoint_block_up[5m] offset 5m30s))";

std::string EvidenceLine(const Evaluation& evaluation) {
  return VerdictLine(kWindowed, evaluation.stores.at(0));
}

// What an audit finds wrong with the evaluation's record; "" if nothing.
std::string EvidenceProblem(const Evaluation& evaluation) {
  const test::TemporaryFolder folder;
  const auto log = folder.path() / "log";
  REQUIRE(
      decision_log::AppendRecords(log, {Recorder(evaluation, "test").Decision(evaluation.stores.at(0))}, 0)
          .ok());
  const history::AuditReport report = history::Audit({log}).value();
  return report.problems.empty() ? "" : report.problems.front();
}

// A healthy store whose samples begin that many evaluations before E.
MemorySource Young(int evaluations) {
  MemorySource source;
  source.AddHealthyStore("a");
  source.began["a"] = kMemoryE - evaluations * test::kIntervalMs - 15'000;
  for (auto& [series, stores] : source.recorded) {
    std::erase_if(stores["a"], [&](const Sample& sample) {
      return sample.time_ms < kMemoryE - evaluations * test::kIntervalMs;
    });
  }
  return source;
}

}  // namespace

TEST_CASE("a store is sufficient only once it has been there for as long as its rates look back") {
  struct Case {
    int evaluations;
    std::string_view line;
  };
  const std::vector<Case> cases = {
      {2, "UNDETERMINED - measured since 2026-09-21 14:12:15 UTC, the window of 5 min is not full"},
      {10, "UNDETERMINED - measured since 2026-09-21 14:08:15 UTC, the window of 5 min is not full"},
      {11, "SQLite sufficient"},
      {100, "SQLite sufficient"},
  };
  for (const Case& example : cases) {
    CAPTURE(example.evaluations);
    MemorySource source = Young(example.evaluations);
    const Evaluation evaluation = EvaluateMeasured(kWindowed, source, kMemoryT);
    CHECK(std::ranges::count(source.asked, kWindowQuery) == 1);
    CHECK(EvidenceLine(evaluation) == example.line);
    CHECK(EvidenceProblem(evaluation) == "");
  }
  MemorySource source = Young(2);
  source.SetValue("a", "checkpoint:servers", 2, 1);
  CHECK(EvidenceLine(EvaluateMeasured(kWindowed, source, kMemoryT)) ==
        "MIGRATE NOW - Multi-server requires network DB");
}

TEST_CASE("a window that could not be asked for is not full") {
  MemorySource source = Young(100);
  source.failing[kWindowQuery] = "no answer";
  const Evaluation evaluation = EvaluateMeasured(kWindowed, source, kMemoryT);
  CHECK(EvidenceLine(evaluation) == "UNDETERMINED - whether the store still reports is not known");
  CHECK(EvidenceProblem(evaluation) == "");
}

TEST_CASE("over a period what lies before a store's beginning is no hole, and a hole in it is") {
  const std::int64_t from_ms = kMemoryT - 3'600'000;
  const auto look_back = [&](MemorySource& source) {
    Evaluation evaluation = EvaluateMeasured(kWindowed, source, kMemoryT);
    LookBack(evaluation, source, from_ms);
    return evaluation;
  };
  MemorySource fresh = Young(40);
  const Evaluation evaluation = look_back(fresh);
  CHECK(EvidenceLine(evaluation) == "SQLite sufficient - measured since 2026-09-21 13:53:30 UTC");
  CHECK(EvidenceProblem(evaluation) == "");

  MemorySource there_before = Young(40);
  there_before.began.clear();
  CHECK(EvidenceLine(look_back(there_before)).starts_with("UNDETERMINED - Write errors: not measured from "));

  // It was decided about an hour ago, so that the server has lost what was before.
  MemorySource lost = Young(40);
  Evaluation after_loss = EvaluateMeasured(kWindowed, lost, kMemoryT);
  LookBack(after_loss, lost, std::vector<PeriodBegin>{{.from_ms = from_ms, .decided_before = true}});
  CHECK(EvidenceLine(after_loss) ==
        "UNDETERMINED - Write errors: not measured from 2026-09-21 13:13:37 UTC to 2026-09-21 13:53:30 UTC");
  CHECK(EvidenceProblem(after_loss) == "");

  MemorySource holed = Young(60);
  for (auto& [series, stores] : holed.recorded) {
    std::erase_if(stores["a"], [](const Sample& sample) {
      return sample.time_ms > kMemoryE - 40 * test::kIntervalMs &&
             sample.time_ms < kMemoryE - 10 * test::kIntervalMs;
    });
  }
  CHECK(EvidenceLine(look_back(holed)).starts_with("UNDETERMINED - Write errors: not measured from "));

  MemorySource young = Young(5);
  CHECK(EvidenceLine(look_back(young)) ==
        "UNDETERMINED - measured since 2026-09-21 14:10:45 UTC, the window of 5 min is not full");
}

TEST_CASE(
    "where the coverage is not in order, its recorded reason is the verdict's, and is asked for only then") {
  struct Case {
    double coverage;
    std::vector<std::string> reasons;
    std::string_view line;
  };
  const std::string_view other_file =
      "UNDETERMINED - the application writes to another file than the exporter reads";
  const std::vector<Case> cases = {
      {1, {"other_file"}, "SQLite sufficient"},
      {0.5, {}, "UNDETERMINED - Write errors: writes go uncounted"},
      {0.5, {"trace_lost", "other_file"}, other_file},  // the spec's order
      {0.5, {"unheard_of"}, "UNDETERMINED - unheard_of"},
      {1.06, {}, "UNDETERMINED - Write errors: more writes are counted than the store commits"},
      {1.06, {"other_file"}, other_file},
      {std::nan(""), {"other_file"}, other_file},
  };
  for (const Case& example : cases) {
    CAPTURE(example.coverage);
    MemorySource source = Young(100);
    source.SetValue("a", std::string(kWindowed.coverage_series), example.coverage, 20);
    for (const std::string& reason : example.reasons) source.reasons.emplace("a", reason);
    const Evaluation evaluation = EvaluateMeasured(kWindowed, source, kMemoryT);
    CHECK(EvidenceLine(evaluation) == example.line);
    CHECK(std::ranges::count(source.asked, std::string(kWindowed.reason_series)) ==
          (example.coverage == 1 ? 0 : 1));
    CHECK(EvidenceProblem(evaluation) == "");
  }
}

TEST_CASE(
    "where nothing is recorded of the writes, a recorded reason says why, and what is missing is beside it") {
  MemorySource source = Young(100);
  source.recorded["checkpoint:write_error_ratio"].erase("a");
  CHECK(EvidenceLine(EvaluateMeasured(kWindowed, source, kMemoryT)) ==
        "UNDETERMINED - Write errors: no recorded series");
  source.SetValue("a", std::string(kWindowed.coverage_series), 0.5, 20);
  source.reasons.emplace("a", "other_file");
  const Evaluation evaluation = EvaluateMeasured(kWindowed, source, kMemoryT);
  CHECK(EvidenceLine(evaluation) ==
        "UNDETERMINED - the application writes to another file than the exporter reads");
  CHECK(std::ranges::count(UnknownLines(kWindowed, evaluation.stores.at(0)),
                           "Write errors: no recorded series") == 1);
}

TEST_CASE("what a breached signal is made of is beside the verdict") {
  MemorySource source;
  for (const std::string store : {"a", "b"}) source.AddHealthyStore(store);
  source.SetValue("a", "checkpoint:write_error_ratio", 0.5, 30);
  source.split = {{{"a", "busy"}, 0.1}, {{"a", "busy_snapshot"}, 3.9},
                  {{"a", "full"}, 0},   {{"a", "other"}, 0.01},
                  {{"b", "busy"}, 1},   {{"nobody", "busy"}, 1}};
  const auto asked = [&](const std::string& promql) { return std::ranges::count(source.asked, promql); };

  const Evaluation evaluation = EvaluateMeasured(kWindowed, source, kMemoryT);
  CHECK(SplitText(evaluation.stores.at(0)) == "by reason: busy_snapshot 97%, busy 2%, other <1%");
  CHECK(evaluation.stores.at(0).split.at(0).part == doctest::Approx(3.9 / 4.01));
  CHECK(Advice(kWindowed, evaluation.stores.at(0)) == "begin it with BEGIN IMMEDIATE");
  const std::string report = decision::TextReport(std::vector{evaluation}, {});
  CHECK(report.find("  advice: begin it with BEGIN IMMEDIATE\n") != std::string::npos);
  CHECK(SplitText(evaluation.stores.at(1)).empty());  // it is sufficient
  CHECK(Advice(kWindowed, evaluation.stores.at(1)).empty());
  CHECK(asked("checkpoint:write_error_ratio:split") == 1);

  // Also in the table of many stores, whose rows have no room for the advice.
  for (const std::string store : {"c", "d"}) source.AddHealthyStore(store);
  const std::vector table{EvaluateMeasured(kWindowed, source, kMemoryT)};
  const std::string shares = "by reason: busy_snapshot 97%, busy 2%, other <1%";
  CHECK(decision::TextReport(table, {}).find("  (" + shares + ")\n") != std::string::npos);
  CHECK(decision::TextReport(table, {.terminal = true, .columns = 200}).find(", " + shares + "\n") !=
        std::string::npos);

  // Pending is a reason to look, too.
  source.SetValue("a", "checkpoint:write_error_ratio", 0.001, 241);
  source.SetValue("a", "checkpoint:write_error_ratio", 0.5, 2);
  CHECK(SplitText(EvaluateMeasured(kWindowed, source, kMemoryT).stores.at(0)) ==
        "by reason: busy_snapshot 97%, busy 2%, other <1%");

  // A reason of which the spec says nothing.
  source.split = {{{"a", "other"}, 2}, {{"a", "busy"}, 1}};
  CHECK(Advice(kWindowed, EvaluateMeasured(kWindowed, source, kMemoryT).stores.at(0)).empty());

  // The verdict is the same without it.
  source.failing["checkpoint:write_error_ratio:split"] = "too many samples";
  const Evaluation unanswered = EvaluateMeasured(kWindowed, source, kMemoryT);
  CHECK(SplitText(unanswered.stores.at(0)).empty());
  CHECK(EvidenceLine(unanswered).starts_with("SQLite sufficient - pending: Write errors"));

  source.asked.clear();
  source.SetValue("a", "checkpoint:write_error_ratio", 0.001, 241);
  EvaluateMeasured(kWindowed, source, kMemoryT);
  CHECK(asked("checkpoint:write_error_ratio:split") == 0);
}
