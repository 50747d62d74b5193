#include "rulegen/report/report_text.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "rulegen/evaluate/evaluation.h"
#include "rulegen/evaluate/wording.h"
#include "rulegen/report/report_json.h"
#include "test/rulegen/decide/sample_table.h"
#include "test/rulegen/evaluate/memory_source.h"

using namespace outgrown;            // NOLINT(google-build-using-namespace): a test
using namespace outgrown::evaluate;  // NOLINT(google-build-using-namespace)
using namespace outgrown::report;    // NOLINT(google-build-using-namespace)
using outgrown::test::kMemoryE;
using outgrown::test::kMemoryT;
using outgrown::test::kSampleTable;
using outgrown::test::MemorySource;

namespace {

constexpr std::string_view kErrorRatio = "checkpoint:write_error_ratio";

}  // namespace

TEST_CASE("the plain answer begins with the verdict and holds every value") {
  MemorySource source;
  source.AddHealthyStore("checkpoints");
  source.SetValue("checkpoints", std::string(kErrorRatio), 0.0231, 25);
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
        "  P99 write latency  150 ms  limit 100 ms  beyond for 2 min, counts from 10 min\n"
        "  spec checkpoint 3f9c2a1b, Prometheus agrees: 2 alerts firing, logged as #118, decided for "
        "2026-09-21 "
        "14:13:37 UTC\n");
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
