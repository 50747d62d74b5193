#include "decision/history/history.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "decision/evaluation.h"
#include "decision/log/decision_log.h"
#include "decision/record/record.h"
#include "test/common/temporary_folder.h"
#include "test/decision/engine/sample_table.h"
#include "test/decision/memory_source.h"

namespace fs = std::filesystem;
using namespace outgrown;                // NOLINT(google-build-using-namespace): a test
using namespace outgrown::decision;      // NOLINT(google-build-using-namespace)
using namespace outgrown::history;       // NOLINT(google-build-using-namespace)
using namespace outgrown::decision_log;  // NOLINT(google-build-using-namespace)
using outgrown::test::kMemoryE;
using outgrown::test::kMemoryT;
using outgrown::test::kSampleTable;
using outgrown::test::kSampleThresholds;
using outgrown::test::MemorySource;
using outgrown::test::TemporaryFolder;

namespace {

constexpr std::string_view kErrorRatio = "checkpoint:write_error_ratio";

// The sample table with another digest, and `change` made to its thresholds.
class ChangedTable {
 public:
  template <typename Change>
  explicit ChangedTable(Change change) : thresholds_(kSampleThresholds), table_(kSampleTable) {
    change(thresholds_);
    table_.thresholds = thresholds_;
    table_.digest = "81c20d4e00000000000000000000000000000000000000000000000000000000";
  }
  ChangedTable(const ChangedTable&) = delete;
  ChangedTable& operator=(const ChangedTable&) = delete;

  const Table& table() const { return table_; }

 private:
  std::array<ThresholdRow, kSampleThresholds.size()> thresholds_;
  Table table_;
};

// A log of decisions about one store that follow each other.
struct Log {
  TemporaryFolder folder;
  fs::path path = folder.path() / "log";

  void Add(const Evaluation& evaluation) const {
    REQUIRE(AppendRecords(path, {Recorder(evaluation, "test").Decision(evaluation.stores.at(0))}, 0).ok());
  }
  void Given(const Table& table, double error_ratio, std::int64_t time_ms) const {
    Add(EvaluateGiven(table, {{{{"database", "a"}}, {error_ratio, 1, 1, 1, 0.001}}}, time_ms));
  }
  std::string History() const { return HistoryText({path}).value(); }

  // What is printed below the verdict that came last.
  std::string LastReason() const {
    const std::string text = History();
    const std::size_t line = text.rfind("\n  2");
    const std::size_t reason = text.find('\n', line + 1) + 1;
    return reason == text.size() ? "" : text.substr(reason, text.size() - 1 - reason);
  }
};

std::string Why(std::string_view reason) { return std::string(27, ' ') + std::string(reason); }

}  // namespace

TEST_CASE("the history tells when each store's verdict changed") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "log";
  MemorySource source;
  source.AddHealthyStore("a");
  const auto decide = [&](std::int64_t time_ms) {
    const Evaluation evaluation = EvaluateMeasured(kSampleTable, source, time_ms);
    REQUIRE(AppendRecords(log, {Recorder(evaluation, "test").Decision(evaluation.stores[0])}, 0).ok());
  };
  decide(kMemoryT - 60'000);
  decide(kMemoryT - 30'000);
  source.SetValue("a", "checkpoint:servers", 2, 1);
  decide(kMemoryT);
  CHECK(HistoryText({log}).value() ==
        "checkpoint: a @ app-1:9108 (app)\n"
        "  2026-09-21 14:12:37 UTC  SQLite sufficient                               #1 and 1 more, until "
        "2026-09-21 "
        "14:13:07 UTC\n"
        "  2026-09-21 14:13:37 UTC  MIGRATE NOW - Multi-server requires network DB  #3\n"
        "                           Servers 2, limit 1\n");
}

TEST_CASE("the history goes by the time that decisions are about, in whatever order they were logged") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "log";
  MemorySource source;
  source.AddHealthyStore("a");
  source.SetValue("a", "checkpoint:servers", 2, 61);  // for the last half hour
  for (const int minutes_ago : {0, 40, 10, 50, 45, 10}) {
    const Evaluation evaluation =
        EvaluateMeasured(kSampleTable, source, kMemoryT - minutes_ago * std::int64_t{60'000});
    REQUIRE(AppendRecords(log, {Recorder(evaluation, "test").Decision(evaluation.stores[0])}, 0).ok());
  }
  CHECK(HistoryText({log}).value() ==
        "checkpoint: a @ app-1:9108 (app)\n"
        "  2026-09-21 13:23:37 UTC  SQLite sufficient                               #4 and 2 more, until "
        "2026-09-21 13:33:37 UTC\n"
        "  2026-09-21 14:03:37 UTC  MIGRATE NOW - Multi-server requires network DB  #3 and 2 more, until "
        "2026-09-21 14:13:37 UTC\n"
        "                           Servers 2, limit 1\n");
}

TEST_CASE("a verdict that a changed spec made is shown with both digests, the value and both limits") {
  const Log log;
  const ChangedTable looser([](auto& thresholds) { thresholds[test::kWriteErrors].limit = 0.05; });
  log.Given(kSampleTable, 0.02, kMemoryT);
  log.Given(looser.table(), 0.02, kMemoryT + 60'000);
  CHECK(log.History() ==
        "checkpoint: a (given values)\n"
        "  2026-09-21 14:13:37 UTC  MIGRATE NOW - Write errors >1% (SQLite saturated)  #1\n"
        "                           Write errors 2 %, limit 1 %\n"
        "  2026-09-21 14:14:37 UTC  SQLite sufficient                                  #2\n"
        "                           spec changed from 3f9c2a1b to 81c20d4e; "
        "Write errors 2 %, limit 5 % (before: 1 %)\n");
}

TEST_CASE("a change to sufficient is shown with what the limit that led before measures now") {
  const Log log;
  log.Given(kSampleTable, 0.02, kMemoryT);
  log.Given(kSampleTable, 0.004, kMemoryT + 60'000);
  CHECK(log.LastReason() == Why("Write errors 0.4 %, limit 1 %"));
  // What a later decision says of the same verdict is no reason for it.
  log.Given(kSampleTable, 0.001, kMemoryT + 120'000);
  CHECK(log.LastReason() == Why("Write errors 0.4 %, limit 1 %"));
}

TEST_CASE("each way from one verdict to another has its reason") {
  struct Case {
    std::string_view what;
    void (*before)(MemorySource& source);
    void (*after)(MemorySource& source);
    std::string_view reason;
  };
  const auto healthy = [](MemorySource& /*source*/) {};
  const auto errors = [](MemorySource& source) { source.SetValue("a", std::string(kErrorRatio), 0.02, 30); };
  const auto servers = [](MemorySource& source) { source.SetValue("a", "checkpoint:servers", 2, 1); };
  const auto rate = [](MemorySource& source) {
    source.SetValue("a", "checkpoint:writes_per_second", 84.2, 30);
  };
  const std::vector<Case> cases = {
      {"sufficient to a breach", healthy, errors, "Write errors 2 %, limit 1 %"},
      {"a breach to a more severe one, the first going on", rate,
       [](MemorySource& source) {
         source.SetValue("a", "checkpoint:writes_per_second", 84.2, 30);
         source.SetValue("a", "checkpoint:servers", 2, 1);
       },
       "Servers 2, limit 1; Writes per second 84.2, limit 80"},
      {"a breach to another one, the first over", servers, errors,
       "Write errors 2 %, limit 1 %; Servers 1, limit 1"},
      {"a breach to one that is not long enough yet", errors,
       [](MemorySource& source) { source.SetValue("a", std::string(kErrorRatio), 0.02, 5); },
       "Write errors 2 %, limit 1 %, for less than 5 min"},
      {"a breach to what is not known", errors,
       [](MemorySource& source) { source.recorded["checkpoint:servers"].erase("a"); },
       "Write errors 0.1 %, limit 1 %"},
      {"a breach to what is not known of itself", errors,
       [](MemorySource& source) { source.recorded[std::string(kErrorRatio)].erase("a"); }, ""},
      {"a breach that became unknown, where another limit leads", errors,
       [](MemorySource& source) {
         source.recorded[std::string(kErrorRatio)].erase("a");
         source.SetValue("a", "checkpoint:servers", 2, 1);
       },
       "Servers 2, limit 1; Write errors unknown: no recorded series"},
      {"what was not known to sufficient",
       [](MemorySource& source) { source.recorded["checkpoint:file_size_bytes"].erase("a"); }, healthy,
       "File size 1 GB, limit 5 GB"},
      {"a silent store to sufficient", [](MemorySource& source) { source.present["a"] -= 3'600'000; },
       healthy, "the store reports again"},
      {"a value hardly beyond its limit", healthy,
       [](MemorySource& source) { source.SetValue("a", "checkpoint:writes_per_second", 80.0001, 30); },
       "Writes per second 80.0001, limit 80"},
  };
  for (const Case& example : cases) {
    CAPTURE(example.what);
    const Log log;
    for (const auto& change : {example.before, example.after}) {
      MemorySource source;
      source.AddHealthyStore("a");
      change(source);
      Evaluation evaluation = EvaluateMeasured(kSampleTable, source, kMemoryT);
      evaluation.time_ms += change == example.after ? 60'000 : 0;
      log.Add(evaluation);
    }
    CHECK(log.LastReason() == (example.reason.empty() ? "" : Why(example.reason)));
  }
}

TEST_CASE("over a period the reason is the value that came furthest") {
  const Log log;
  for (const bool burst : {true, false}) {
    MemorySource source;
    source.AddHealthyStore("a");
    for (auto& sample : source.recorded[std::string(kErrorRatio)]["a"]) {
      const std::int64_t ago_ms = kMemoryE - sample.time_ms;
      if (ago_ms > 900'000 && ago_ms <= 1'500'000) sample.value = burst ? 0.02 : 0.004;
    }
    Evaluation evaluation = EvaluateMeasured(kSampleTable, source, kMemoryT);
    LookBack(evaluation, source, kMemoryT - 3'600'000);
    evaluation.time_ms += burst ? 0 : 60'000;
    log.Add(evaluation);
    CHECK(log.LastReason() ==
          Why(burst ? "Write errors up to 2 %, limit 1 %" : "Write errors up to 0.4 %, limit 1 %"));
  }
}

TEST_CASE(
    "a limit that the spec no longer has is named as such, and a record without units gives plain numbers") {
  const Log log;
  const ChangedTable renamed([](auto& thresholds) { thresholds[test::kWriteErrors].id = "Errors"; });
  log.Given(kSampleTable, 0.02, kMemoryT);
  log.Given(renamed.table(), 0.002, kMemoryT + 60'000);
  CHECK(log.LastReason() == Why("spec changed from 3f9c2a1b to 81c20d4e, without WriteErrors"));
  const Log old;
  const Evaluation evaluation =
      EvaluateGiven(kSampleTable, {{{{"database", "a"}}, {0.02, 1, 1, 1, 0.001}}}, kMemoryT);
  std::string record = Recorder(evaluation, "test").Decision(evaluation.stores[0]);
  for (std::size_t at = record.find(",\"unit\":\""); at != std::string::npos;
       at = record.find(",\"unit\":\"")) {
    record.erase(at, record.find('"', at + 9) + 1 - at);
  }
  REQUIRE(AppendRecords(old.path, {record}, 0).ok());
  CHECK(old.LastReason() == Why("Write errors 0.02, limit 0.01"));
}
