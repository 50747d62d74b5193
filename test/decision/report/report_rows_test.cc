// The rows of the report for people: what they say, their colours, and that they fit the terminal.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "common/text.h"
#include "decision/evaluation.h"
#include "decision/report/report_json.h"
#include "decision/report/report_text.h"
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

// Every line is at most that wide.
void CheckWidth(const std::string& text, std::size_t columns) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    CHECK(Columns(line) <= columns);
  }
}

// One store of every colour: breached with the next limit ahead, pending, unknown, on its way to a limit.
std::vector<Evaluation> Busy() {
  MemorySource source;
  source.AddHealthyStore("checkpoints");
  source.SetValue("checkpoints", "checkpoint:writes_per_second", 84.2, 63);
  source.SetValue("checkpoints", "checkpoint:write_p99_seconds", 0.15, 5);
  source.recorded["checkpoint:servers"].erase("checkpoints");
  std::vector<Evaluation> evaluations = {EvaluateMeasured(kSampleTable, source, kMemoryT)};
  evaluations[0].stores[0].logged_as = 118;
  return evaluations;
}

void SetTrend(Evaluation& evaluation, std::size_t store, std::string_view threshold, Trend trend) {
  std::vector<Trend>& trends = evaluation.stores[store].trends;
  trends.resize(kSampleTable.thresholds.size(), {TrendKind::kNotApproaching});
  for (std::size_t index = 0; index < trends.size(); ++index) {
    if (kSampleTable.thresholds[index].id == threshold) trends[index] = trend;
  }
}

}  // namespace

TEST_CASE("a store with a limit that is exceeded, not yet for long enough, never reads as sufficient alone") {
  MemorySource source;
  for (const char* store : {"a", "b", "c", "d"}) source.AddHealthyStore(store);
  source.SetValue("c", "checkpoint:write_p99_seconds", 0.15, 5);
  source.SetValue("c", "checkpoint:write_error_ratio", 0.02, 5);
  const std::vector<Evaluation> evaluations = {EvaluateMeasured(kSampleTable, source, kMemoryT)};
  // The most severe one leads, whatever the order of the spec.
  const std::string line =
      "SQLite sufficient - pending: Write errors >1% (SQLite saturated) since 14:11 UTC, 2 min of 5 min, and "
      "1 more";
  CHECK(TextReport(evaluations, {}).find("  " + line + "  c @ app-1:9108") != std::string::npos);
  for (const std::size_t columns : {100UL, 200UL}) {
    const std::string text = TextReport(evaluations, {.terminal = true, .columns = columns});
    CHECK(text.find("  SQLite sufficient, pending  c @") < text.find("  SQLite sufficient           a @"));
    CHECK(text.find("4 stores: 1 SQLite sufficient, pending, 3 SQLite sufficient\n") != std::string::npos);
    CheckWidth(text, columns);
  }
}

TEST_CASE("a breached row has the colour of its own verdict, and its bar goes beyond a limit of 0") {
  MemorySource source;
  source.AddHealthyStore("a");
  source.SetValue("a", "checkpoint:write_error_ratio", 0.02, 63);
  source.SetValue("a", "checkpoint:writes_per_second", 84.2, 63);
  auto thresholds = outgrown::test::kSampleThresholds;
  for (ThresholdRow& threshold : thresholds) {
    if (threshold.id == "WriteErrors") threshold.limit = 0;
  }
  Table table = kSampleTable;
  table.thresholds = thresholds;
  const std::vector<Evaluation> evaluations = {EvaluateMeasured(table, source, kMemoryT)};
  const std::string text = TextReport(evaluations, {.terminal = true, .colour = true, .columns = 160});
  CAPTURE(text);
  CHECK(text.find(Paint("breached for at least 1 h", Colour::kRed, true).substr(0, 20)) != std::string::npos);
  CHECK(text.find(Paint("breached for 31 min", Colour::kYellow, true)) != std::string::npos);
  CHECK(text.find("▶") != std::string::npos);
}

TEST_CASE("a limit that has been exceeded for more than a day is pending since a time with its date") {
  MemorySource source;
  source.AddHealthyStore("a");
  source.SetValue("a", "checkpoint:write_error_ratio", 0.001, 50 * 120);
  source.SetValue("a", "checkpoint:write_error_ratio", 0.02, 25 * 120 + 1);
  source.SetValue("a", "checkpoint:coverage_ratio", 1, 50 * 120);
  auto thresholds = outgrown::test::kSampleThresholds;
  for (ThresholdRow& threshold : thresholds) {
    if (threshold.id == "WriteErrors") threshold.hold_ms = 172'800'000;
  }
  Table table = kSampleTable;
  table.thresholds = thresholds;
  const Evaluation evaluation = EvaluateMeasured(table, source, kMemoryT);
  const std::string line = decision::VerdictLine(table, evaluation.stores[0]);
  CAPTURE(line);
  CHECK(line.find("since 2026-09-20 13:13 UTC, 25 h of 2 days") != std::string::npos);
}

TEST_CASE("a row tells when its limit is reached; a breached one when the next limit is") {
  std::vector<Evaluation> evaluations = Busy();
  SetTrend(evaluations[0], 0, "Throughput", {TrendKind::kReached, 4 * 86'400.0});
  SetTrend(evaluations[0], 0, "FileSize", {TrendKind::kReached, 41.4 * 86'400});
  SetTrend(evaluations[0], 0, "WriteErrors", {TrendKind::kTooLittleHistory});
  const std::string text = TextReport(evaluations, {});
  CHECK(text.find("  Write errors       0.1 %   limit 1 %     no trend yet\n") != std::string::npos);
  CHECK(text.find("  limit 80      breached for 31 min, 100 in about 4 days\n") != std::string::npos);
  CHECK(text.find("  limit 5 GB    in about 41 days\n") != std::string::npos);
  SetTrend(evaluations[0], 0, "FileSize", {TrendKind::kLater});
  SetTrend(evaluations[0], 0, "WriteErrors", {TrendKind::kUnknown});
  const std::string without = TextReport(evaluations, {});
  CHECK(without.find("  limit 5 GB    no trend\n") != std::string::npos);
  CHECK(without.find("  limit 1 %     trend unknown\n") != std::string::npos);
}

TEST_CASE("how long until a limit is reached is said as roughly as it is known") {
  CHECK(ReachedText(1) == "within the hour");
  CHECK(ReachedText(5.4 * 3600) == "in about 5 h");
  CHECK(ReachedText(35.4 * 3600) == "in about 35 h");
  CHECK(ReachedText(36 * 3600) == "in about 2 days");
  CHECK(ReachedText(41.5 * 86'400) == "in about 42 days");
}

TEST_CASE("on a terminal everything of a store fits the width, down to 60 columns") {
  std::vector<Evaluation> evaluations = Busy();
  SetTrend(evaluations[0], 0, "Throughput", {TrendKind::kReached, 4 * 86'400.0});
  for (std::size_t columns = 60; columns <= 200; ++columns) {
    CAPTURE(columns);
    const std::string text = TextReport(evaluations, {.terminal = true, .columns = columns});
    CheckWidth(text, columns);
    for (const std::string_view part : {"84.2", "limit 80", "breached for 31 min", "100 in about 4 days",
                                        "beyond the limit for 2 min", "no recorded series"}) {
      CAPTURE(part);
      CHECK(text.find(part) != std::string::npos);
    }
  }
}

TEST_CASE("on a terminal a table fits the width whatever the stores are called") {
  MemorySource source;
  source.AddHealthyStore(std::string(300, 'x'));
  for (const char* store : {"a", "b", "c", "d"}) source.AddHealthyStore(store);
  source.SetValue("b", "checkpoint:servers", 2, 1);
  source.SetValue("b", "checkpoint:file_size_bytes", 6e9, 1);
  source.recorded["checkpoint:servers"].erase("d");
  const std::vector<Evaluation> evaluations = {EvaluateMeasured(kSampleTable, source, kMemoryT)};
  for (std::size_t columns = 60; columns <= 200; ++columns) {
    CAPTURE(columns);
    const std::string text = TextReport(evaluations, {.terminal = true, .columns = columns});
    CheckWidth(text, columns);
    CHECK(text.find("…") != std::string::npos);
  }
  // For grep nothing is shortened.
  CHECK(TextReport(evaluations, {}).find(std::string(80, 'x')) != std::string::npos);
}

TEST_CASE(
    "of many sufficient stores a terminal shows the ones that reach a limit first, and counts the others") {
  MemorySource source;
  for (int store = 10; store < 40; ++store) source.AddHealthyStore("store-" + std::to_string(store));
  std::vector<Evaluation> evaluations = {EvaluateMeasured(kSampleTable, source, kMemoryT)};
  for (std::size_t store = 0; store < 8; ++store) {
    SetTrend(evaluations[0], store, "FileSize",
             {TrendKind::kReached, 86'400.0 * static_cast<double>(20 - store)});
  }
  const std::string text = TextReport(evaluations, {.terminal = true, .columns = 100});
  const std::size_t soonest = text.find("store-17 @ app-1:9108 (app)  File size 5 GB in about 13 days\n");
  const std::size_t fifth = text.find("store-13 @ app-1:9108 (app)  File size 5 GB in about 17 days\n");
  CHECK(soonest < fifth);
  CHECK(fifth != std::string::npos);
  CHECK(text.find("store-12") == std::string::npos);
  CHECK(text.find("  25 more: SQLite sufficient\n") != std::string::npos);
  CHECK(text.find("30 stores: 30 SQLite sufficient\n") != std::string::npos);
}

TEST_CASE(
    "a store's own ceiling stands beside the limit, with the time until it is reached if it is approached") {
  MemorySource source;
  source.AddHealthyStore("checkpoints");
  source.SetValue("checkpoints", "checkpoint:writes_ceiling", 97.5, 63);
  std::vector<SignalRow> signals(kSampleTable.signals.begin(), kSampleTable.signals.end());
  const std::size_t rate = 1;
  REQUIRE(signals[rate].id == "writes_per_second");
  signals[rate].ceiling = static_cast<std::uint16_t>(signals.size());
  signals.push_back({"writes_ceiling", "Own write ceiling", "checkpoint:writes_ceiling", Unit::kPerSecond,
                     Uncovered::kValid});
  Table table = kSampleTable;
  table.signals = signals;
  std::vector<Evaluation> evaluations = {EvaluateMeasured(table, source, kMemoryT)};
  std::vector<std::optional<Trend>>& trends = evaluations[0].stores[0].ceiling_trends;
  CHECK(TextReport(evaluations, {}).find("  limit 80      own ceiling about 97.5\n") != std::string::npos);
  trends.resize(signals.size());
  for (const auto& [trend, said] :
       {std::pair(Trend{TrendKind::kReached, 4 * 86'400.0}, " reached in about 4 days"),
        std::pair(Trend{TrendKind::kNotApproaching}, ""), std::pair(Trend{TrendKind::kUnknown}, "")}) {
    trends[rate] = trend;
    const std::string text = TextReport(evaluations, {});
    CAPTURE(text);
    CHECK(text.find(std::string("  limit 80      own ceiling about 97.5") + said + "\n") !=
          std::string::npos);
  }
}
