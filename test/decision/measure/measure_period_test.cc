#include "decision/measure/measure_period.h"

#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "decision/evaluation.h"
#include "decision/exit_status.h"
#include "decision/history/audit.h"
#include "decision/log/decision_log.h"
#include "decision/record/record.h"
#include "decision/report/report_text.h"
#include "decision/report/wording.h"
#include "test/common/temporary_folder.h"
#include "test/decision/engine/sample_table.h"
#include "test/decision/hour.h"
#include "test/decision/memory_source.h"

using namespace outgrown;                // NOLINT(google-build-using-namespace): a test
using namespace outgrown::decision;      // NOLINT(google-build-using-namespace)
using namespace outgrown::history;       // NOLINT(google-build-using-namespace)
using namespace outgrown::decision_log;  // NOLINT(google-build-using-namespace)
using outgrown::test::AuditOf;
using outgrown::test::Hour;
using outgrown::test::kErrorSeries;
using outgrown::test::kHourMs;
using outgrown::test::kMemoryE;
using outgrown::test::kMemoryT;
using outgrown::test::kRate;
using outgrown::test::kSampleTable;
using outgrown::test::LineOf;

TEST_CASE("a burst that has ended is not forgotten, and one too short never was a breach") {
  struct Case {
    std::string_view what;
    int ago;
    int evaluations;
    std::string_view line;
  };
  const std::vector<Case> cases = {
      {"long enough, half an hour ago", 60, 11, "MIGRATE NOW - Write errors >1% (SQLite saturated)"},
      {"one evaluation too short", 60, 10, "SQLite sufficient"},
      {"still on", 15, 16, "MIGRATE NOW - Write errors >1% (SQLite saturated)"},
      {"pending at the end", 4, 5,
       "SQLite sufficient - pending: Write errors >1% (SQLite saturated) since 14:11 UTC, 2 min of 5 min"},
      {"before the period", 200, 30, "SQLite sufficient"},
      {"begun before the period and breached in it", 125, 20,
       "MIGRATE NOW - Write errors >1% (SQLite saturated)"},
  };
  for (const Case& example : cases) {
    CAPTURE(example.what);
    Hour hour;
    hour.Burst(kErrorSeries, 0.02, example.ago, example.evaluations);
    const Evaluation evaluation = hour.Decide();
    CHECK(LineOf(evaluation) == example.line);
    CHECK(AuditOf(evaluation) == "");
  }
}

TEST_CASE("the most severe verdict that was reached leads, with its times; milder ones follow with theirs") {
  Hour hour;
  hour.Burst(kErrorSeries, 0.02, 100, 15);
  hour.Burst(kRate, 90, 60, 30);
  const Evaluation evaluation = hour.Decide();
  CHECK(LineOf(evaluation) == "MIGRATE NOW - Write errors >1% (SQLite saturated)");
  CHECK(BreachTimesText(evaluation.stores[0]) ==
        "from 2026-09-21 13:28:30 UTC to 2026-09-21 13:30:30 UTC, at 5 evaluations");
  CHECK(AlsoLines(kSampleTable, evaluation.stores[0]) ==
        std::vector<std::string>{
            "Throughput >80/sec (approaching capacity ceiling), from 2026-09-21 13:53:30 UTC to "
            "2026-09-21 13:58:00 UTC, at 10 evaluations"});
  CHECK(AuditOf(evaluation) == "");
  const std::vector<Evaluation> evaluations = {evaluation};
  CHECK(EvaluateExitStatus(evaluations, true) == 20);
  CHECK(
      TextReport(evaluations, {})
          .starts_with(
              "MIGRATE NOW - Write errors >1% (SQLite saturated)\n  breached from 2026-09-21 13:28:30 UTC"));
}

TEST_CASE(
    "a threshold's evaluations are counted at its own signal's samples, where rules are in several groups") {
  Hour hour;
  hour.Burst(kErrorSeries, 0.02, 100, 15);
  for (auto& sample : hour.source.recorded[kRate]["a"]) sample.time_ms -= 10'000;
  const Evaluation evaluation = hour.Decide();
  CHECK(BreachTimesText(evaluation.stores[0]) ==
        "from 2026-09-21 13:28:30 UTC to 2026-09-21 13:30:30 UTC, at 5 evaluations");
  CHECK(AuditOf(evaluation) == "");
}

TEST_CASE("what was not measured for longer than Prometheus bridges keeps a period from being sufficient") {
  struct Case {
    std::string_view what;
    int ago;
    int evaluations;
    std::string_view line;
  };
  const std::vector<Case> cases = {
      {"five minutes", 60, 9, "SQLite sufficient"},
      {"more than five minutes", 60, 10,
       "UNDETERMINED - Write errors: not measured from 2026-09-21 13:43:00 UTC to 2026-09-21 13:48:30 UTC"},
      {"from before the period on", 240, 150,
       "UNDETERMINED - Write errors: not measured from 2026-09-21 13:13:37 UTC to 2026-09-21 13:28:30 UTC"},
  };
  for (const Case& example : cases) {
    CAPTURE(example.what);
    Hour hour;
    hour.RemoveAll(example.ago, example.evaluations);
    const Evaluation evaluation = hour.Decide();
    CHECK(LineOf(evaluation) == example.line);
    CHECK(AuditOf(evaluation) == "");
  }
}

TEST_CASE("a stop, in which the store was not written to, is no hole") {
  static const Table table = [] {
    Table changed = kSampleTable;
    changed.modified = "checkpoint_file_modified_timestamp_seconds";
    changed.coverage_window_ms = 300'000;
    return changed;
  }();
  Hour hour;
  // Rates are recorded for some minutes after the last scrape.
  hour.RemoveAll(80, 60);
  hour.Burst(kRate, 20, 84, 80);
  for (const std::string series : {"checkpoint:servers", "checkpoint:file_size_bytes"})
    hour.Remove(series, 88, 8);
  const double scraped_s = static_cast<double>(kMemoryE) / 1000 - 88 * 30 - 5;
  const std::string last_scrape = "(timestamp(checkpoint_file_modified_timestamp_seconds)[10m30s:15s])";
  const std::string modified = "(max_over_time(checkpoint_file_modified_timestamp_seconds[";
  hour.source.values[last_scrape]["a"] = scraped_s;
  const auto decide = [&] {
    Evaluation evaluation = EvaluateMeasured(table, hour.source, kMemoryT);
    LookBack(evaluation, hour.source, kMemoryT - kHourMs);
    CHECK(AuditOf(evaluation).empty());
    return evaluation;
  };
  const auto line = [&](const Evaluation& evaluation) { return VerdictLine(table, evaluation.stores.at(0)); };

  hour.source.values[modified]["a"] = scraped_s + 15;
  const Evaluation stopped = decide();
  CHECK(line(stopped) == "SQLite sufficient");
  REQUIRE(StoppedLines(stopped.stores.at(0)).size() == 1);
  CHECK(StoppedLines(stopped.stores.at(0)).front() ==
        "stopped from 2026-09-21 13:29:00 UTC to 2026-09-21 14:03:30 UTC: nothing was written");
  CHECK(stopped.stores.at(0).period->thresholds.at(0).unknown.total_ms == 0);

  // Somebody wrote after the last scrape.
  hour.source.values[modified]["a"] = scraped_s + 15.001;
  CHECK(line(decide()) ==
        "UNDETERMINED - Write errors: not measured from 2026-09-21 13:33:00 UTC to 2026-09-21 14:03:30 UTC");
  hour.source.values[modified]["a"] = std::nan("");
  CHECK(line(decide()).starts_with("UNDETERMINED"));
  hour.source.values[modified].clear();
  CHECK(line(decide()).starts_with("UNDETERMINED"));

  // What else was not known in the period stays so, and a breach stays one.
  hour.source.values[modified]["a"] = scraped_s;
  hour.Burst(kErrorSeries, std::nan(""), 10, 2);
  CHECK(line(decide()).starts_with(
      "UNDETERMINED - Write errors: the recorded value is not a finite number, from "));
  hour.Burst(kErrorSeries, 0.5, 20, 20);
  CHECK(line(decide()) == "MIGRATE NOW - Write errors >1% (SQLite saturated)");
}

TEST_CASE("a burst that reaches into the period is reported within it, though what is missing lies before") {
  Hour hour;
  hour.Burst(kErrorSeries, 0.02, 125, 11);
  hour.Remove(kErrorSeries, 122, 1);
  hour.Remove(kErrorSeries, 117, 1);
  const Evaluation evaluation = hour.Decide();
  CHECK(LineOf(evaluation) ==
        "UNDETERMINED - Write errors: beyond the limit, with samples missing in between, from "
        "2026-09-21 13:13:37 UTC to 2026-09-21 13:16:30 UTC");
  CHECK(AuditOf(evaluation) == "");
}

TEST_CASE("a query of the period that was not answered leaves nothing tolerated, however short its stretch") {
  for (const std::string& series : {kErrorSeries, std::string(kSampleTable.coverage_series)}) {
    CAPTURE(series);
    Hour hour;
    hour.source.failing[series + (series == kErrorSeries ? "[11m]" : "[17m]")] = "no answer within 2s";
    Evaluation evaluation = EvaluateMeasured(kSampleTable, hour.source, kMemoryT);
    LookBack(evaluation, hour.source, kMemoryT - 240'000);
    CHECK(LineOf(evaluation).starts_with("UNDETERMINED - Write errors: the query was not answered, from "));
    CHECK(AuditOf(evaluation) == "");
  }
}

TEST_CASE("a breach that lasted is reported beside what was not measured, and what could be worse counts") {
  Hour hour;
  hour.Burst(kRate, 90, 60, 30);
  hour.Remove(kErrorSeries, 40, 20);
  const Evaluation soon = hour.Decide();
  CHECK(LineOf(soon) == "MIGRATE SOON - Throughput >80/sec (approaching capacity ceiling)");
  CHECK(soon.stores[0].decision.worse_unknown);
  const std::vector<Evaluation> evaluations = {soon};
  CHECK(EvaluateExitStatus(evaluations, true) == 30);
  CHECK(AuditOf(soon) == "");
  hour.Burst("checkpoint:servers", 2, 30, 1);
  const Evaluation now = hour.Decide();
  CHECK(LineOf(now) == "MIGRATE NOW - Multi-server requires network DB");
  CHECK_FALSE(now.stores[0].decision.worse_unknown);
}

TEST_CASE("an undetermined end makes an otherwise healthy period undetermined") {
  Hour hour;
  hour.Remove("checkpoint:servers", 5, 6);
  const Evaluation evaluation = hour.Decide();
  CHECK(LineOf(evaluation) == "UNDETERMINED - Servers: the recorded series has stopped");
  CHECK(AuditOf(evaluation) == "");
}

TEST_CASE("a forged period doesn't follow") {
  Hour hour;
  hour.Burst(kErrorSeries, 0.02, 60, 11);
  const Evaluation evaluation = hour.Decide();
  const std::string record = Recorder(evaluation, "test").Decision(evaluation.stores[0]);
  struct Forgery {
    std::string_view from;
    std::string_view to;
  };
  const std::vector<Forgery> forgeries = {
      {"\"threshold\":\"WriteErrors\",\"breached_evaluations\":1",
       "\"threshold\":\"WriteErrors\",\"breached_evaluations\":0"},
      {"\"threshold\":\"MultiServer\",\"breached_evaluations\":0",
       "\"threshold\":\"MultiServer\",\"breached_evaluations\":1,\"first_ms\":1,\"last_ms\":1"},
      {"\"breached_at_ms\":17", "\"breached_at_ms\":18"},
      {"\"unmeasured\":[]", "\"unmeasured\":1"},
  };
  for (const Forgery& forgery : forgeries) {
    CAPTURE(forgery.from);
    std::string forged = record;
    const std::size_t at = forged.find(forgery.from);
    REQUIRE(at != std::string::npos);
    forged.replace(at, forgery.from.size(), forgery.to);
    const outgrown::test::TemporaryFolder folder;
    REQUIRE(AppendRecords(folder.path() / "log", {forged}, 0).ok());
    CHECK(Audit({folder.path() / "log"}).value().problems.size() == 1);
  }
}
