#include "decision/report/report_text.h"

#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "common/text.h"
#include "decision/evaluation.h"
#include "decision/report/report_json.h"
#include "decision/report/signal_lines.h"
#include "decision/report/signal_rows.h"
#include "decision/report/wording.h"
#include "test/decision/engine/sample_table.h"
#include "test/decision/memory_source.h"

using namespace outgrown;            // NOLINT(google-build-using-namespace): a test
using namespace outgrown::decision;  // NOLINT(google-build-using-namespace)
using outgrown::test::kMemoryT;
using outgrown::test::kSampleTable;
using outgrown::test::MemorySource;

namespace {

constexpr std::string_view kErrorRow = "checkpoint:write_error_ratio";

}  // namespace

TEST_CASE("the plain answer begins with the verdict and holds every value") {
  MemorySource source;
  source.AddHealthyStore("checkpoints");
  source.SetValue("checkpoints", std::string(kErrorRow), 0.0231, 25);
  source.SetValue("checkpoints", "checkpoint:writes_per_second", 84.2, 63);
  source.SetValue("checkpoints", "checkpoint:write_p99_seconds", 0.15, 5);
  source.alerts[{"checkpoints", "CheckpointWriteErrors"}] = "firing";
  source.alerts[{"checkpoints", "CheckpointThroughputApproaching"}] = "firing";
  source.alerts[{"checkpoints", "CheckpointWriteLatency"}] = "pending";
  std::vector<Evaluation> evaluations = {EvaluateMeasured(kSampleTable, source, kMemoryT)};
  evaluations[0].stores[0].logged_as = 118;
  CHECK(TextReport(evaluations, {}) ==
        "MIGRATE NOW - Write errors >1% (SQLite saturated)\n"
        "  also: Throughput >80/sec (approaching capacity ceiling)\n"
        "  store: job=\"app\" instance=\"app-1:9108\" database=\"checkpoints\"\n"
        "  Write errors       2.31 %  limit 1 %     breached for 12 min\n"
        "  Writes per second  84.2    limit 80      breached for 31 min\n"
        "  Servers            1       limit 1\n"
        "  File size          1 GB    limit 5 GB\n"
        "  P99 write latency  150 ms  limit 100 ms  beyond the limit for 2 min of 10 min\n"
        "  spec checkpoint 3f9c2a1b, Prometheus agrees: 2 alerts firing, logged as #118, decided for "
        "2026-09-21 "
        "14:13:37 UTC\n");
}

TEST_CASE("a value just beyond its limit doesn't read as the limit") {
  MemorySource source;
  source.AddHealthyStore("checkpoints");
  source.SetValue("checkpoints", "checkpoint:writes_per_second", 80.0001, 63);
  const std::vector<Evaluation> evaluations = {EvaluateMeasured(kSampleTable, source, kMemoryT)};
  CHECK(
      TextReport(evaluations, {}).find("  Writes per second  80.0001  limit 80      breached for 31 min\n") !=
      std::string::npos);
}

TEST_CASE("a signal without a threshold is shown with its value alone, and not judged") {
  MemorySource source;
  source.AddHealthyStore("a");
  std::vector<ThresholdRow> thresholds(test::kSampleThresholds.begin(), test::kSampleThresholds.end());
  std::erase_if(thresholds, [](const ThresholdRow& row) { return row.id == "FileSize"; });
  Table table = kSampleTable;
  table.thresholds = thresholds;
  source.SetValue("a", "checkpoint:file_size_bytes", 6e9, 1);
  std::vector<Evaluation> evaluations = {EvaluateMeasured(table, source, kMemoryT)};
  CHECK(TextReport(evaluations, {}).starts_with("SQLite sufficient\n"));
  CHECK(TextReport(evaluations, {}).find("\n  File size          5.59 GB\n") != std::string::npos);
  const std::string bars = TextReport(evaluations, {.terminal = true, .colour = false});
  CHECK(bars.find("\n  File size          5.59 GB\n") != std::string::npos);
  source.recorded["checkpoint:file_size_bytes"].erase("a");
  evaluations = {EvaluateMeasured(table, source, kMemoryT)};
  const std::string missing = TextReport(evaluations, {});
  CHECK(missing.starts_with("SQLite sufficient\n"));
  CHECK(missing.find("\n  File size          -  ") != std::string::npos);
  CHECK(missing.find("  no recorded series\n") != std::string::npos);
}

TEST_CASE("on a terminal there are bars, and colour only where it is wanted") {
  MemorySource source;
  source.AddHealthyStore("checkpoints");
  const std::vector<Evaluation> evaluations = {EvaluateMeasured(kSampleTable, source, kMemoryT)};
  const std::string plain = TextReport(evaluations, {});
  const std::string bars = TextReport(evaluations, {.terminal = true, .colour = false});
  const std::string colours = TextReport(evaluations, {.terminal = true, .colour = true});
  CHECK(plain.find("█") == std::string::npos);
  CHECK(bars.find("█") != std::string::npos);
  CHECK(bars.find('\x1b') == std::string::npos);
  CHECK(bars.find("\n  SQLite sufficient\n") != std::string::npos);
  CHECK(colours.find("\x1b[32mSQLite sufficient\x1b[0m") != std::string::npos);
}

TEST_CASE("labels from outside can't speak to the terminal") {
  MemorySource source;
  source.AddHealthyStore("evil\x1b[2J\nSQLite sufficient");
  const std::vector<Evaluation> evaluations = {EvaluateMeasured(kSampleTable, source, kMemoryT)};
  for (const TextStyle& style : {TextStyle{}, TextStyle{.terminal = true, .colour = false}}) {
    const std::string text = TextReport(evaluations, style);
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.find("\nSQLite sufficient \"") == std::string::npos);
  }
  CHECK(JsonReport(evaluations, 0, "x").find('\x1b') == std::string::npos);
}

TEST_CASE(
    "the plain answer about up to three stores is each one's, verdict first; more are a table under its "
    "title") {
  MemorySource source;
  for (const char* store : {"a", "b", "c"}) source.AddHealthyStore(store);
  const auto answer = [&] {
    const std::vector<Evaluation> evaluations = {EvaluateMeasured(kSampleTable, source, kMemoryT)};
    return TextReport(evaluations, {});
  };
  const std::string three = answer();
  CHECK(three.starts_with("SQLite sufficient\n  store: job=\"app\" instance=\"app-1:9108\" database=\"a\""));
  CHECK(three.find("\n\nSQLite sufficient\n  store: job=\"app\" instance=\"app-1:9108\" database=\"c\"") !=
        std::string::npos);
  source.AddHealthyStore("d");
  CHECK(answer().starts_with("SQLite checkpoint store  2026-09-21 14:13:37 UTC\n"));
}

TEST_CASE("many stores are a table, worst first, with a summary") {
  MemorySource source;
  for (const char* store : {"a", "b", "c", "d", "e"}) source.AddHealthyStore(store);
  source.SetValue("b", "checkpoint:file_size_bytes", 6e9, 1);
  source.SetValue("c", "checkpoint:servers", 2, 1);
  source.recorded["checkpoint:servers"].erase("d");
  const std::vector<Evaluation> evaluations = {EvaluateMeasured(kSampleTable, source, kMemoryT)};
  const std::string text = TextReport(evaluations, {});
  std::vector<std::size_t> places;
  for (const char* store : {"c @", "d @", "b @", "a @", "e @"}) places.push_back(text.find(store));
  CHECK(std::is_sorted(places.begin(), places.end()));
  CHECK(places.back() != std::string::npos);
  CHECK(text.find("5 stores: 1 MIGRATE NOW, 1 UNDETERMINED, 1 MIGRATE SOON, 2 SQLite sufficient\n") !=
        std::string::npos);
}
