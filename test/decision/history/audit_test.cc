#include "decision/history/audit.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "common/file.h"
#include "decision/evaluation.h"
#include "decision/log/decision_log.h"
#include "decision/record/record.h"
#include "test/common/temporary_folder.h"
#include "test/decision/engine/sample_table.h"
#include "test/decision/memory_source.h"
#include "test/support/rounds.h"

namespace fs = std::filesystem;
using namespace outgrown;                // NOLINT(google-build-using-namespace): a test
using namespace outgrown::decision;      // NOLINT(google-build-using-namespace)
using namespace outgrown::history;       // NOLINT(google-build-using-namespace)
using namespace outgrown::decision_log;  // NOLINT(google-build-using-namespace)
using outgrown::ReadFile;
using outgrown::test::kMemoryT;
using outgrown::test::kSampleTable;
using outgrown::test::MemorySource;
using outgrown::test::Rounds;
using outgrown::test::TemporaryFolder;

namespace {

// Members of records about every kind of situation.
std::vector<std::string> Records() {
  MemorySource source;
  for (const char* store : {"healthy", "errors", "pending", "hole", "uncovered", "nan", "absent", "silent"}) {
    source.AddHealthyStore(store);
  }
  source.SetValue("errors", "checkpoint:write_error_ratio", 0.02, 30);
  source.SetValue("errors", "checkpoint:writes_per_second", 90, 30);
  source.SetValue("pending", "checkpoint:write_error_ratio", 0.02, 5);
  source.SetValue("hole", "checkpoint:write_error_ratio", 0.02, 30);
  auto& hole = source.recorded["checkpoint:write_error_ratio"]["hole"];
  hole.erase(hole.end() - 4);
  source.SetValue("uncovered", "checkpoint:coverage_ratio", 0.5, 3);
  source.SetValue("nan", "checkpoint:servers", 0.0 / 0.0, 1);
  source.recorded["checkpoint:servers"].erase("absent");
  source.present["silent"] -= 3'600'000;
  std::vector<std::string> members;
  const Evaluation measured = EvaluateMeasured(kSampleTable, source, kMemoryT);
  for (const StoreDecision& store : measured.stores)
    members.push_back(Recorder(measured, "test").Decision(store));
  const Evaluation given =
      EvaluateGiven(kSampleTable, {{{{"database", "a"}}, {0.02, 1, 1, 1, 0.0 / 0.0}}}, kMemoryT);
  members.push_back(Recorder(given, "test").Decision(given.stores[0]));
  MemorySource empty;
  members.push_back(Recorder(EvaluateMeasured(kSampleTable, empty, kMemoryT), "test").Attempt());
  return members;
}

AuditReport AuditOf(const fs::path& log) { return Audit(LogFiles(log).value()).value(); }

void Write(const fs::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::trunc | std::ios::binary) << bytes;
}

}  // namespace

TEST_CASE("every verdict in an honest log follows from its recorded inputs") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "log";
  const std::vector<std::string> records = Records();
  REQUIRE(AppendRecords(log, records, 0).ok());
  const AuditReport report = AuditOf(log);
  for (const std::string& problem : report.problems) FAIL_CHECK(problem);
  CHECK(report.records == records.size());
  CHECK(report.decisions == records.size() - 1);
}

TEST_CASE("a breach is recorded with the samples of its window and a healthy signal with its newest alone") {
  const std::vector<std::string> records = Records();
  const auto count = [](std::string_view record, std::string_view signal) {
    const std::size_t start =
        record.find("\"samples\":[", record.find("{\"id\":\"" + std::string(signal) + "\"")) + 11;
    const std::string_view samples = record.substr(start, record.find("]]", start) - start);
    return std::count(samples.begin(), samples.end(), '[');
  };
  const auto errors = std::find_if(records.begin(), records.end(), [](const std::string& record) {
    return record.find("\"database\":\"errors\"") != std::string::npos;
  });
  REQUIRE(errors != records.end());
  CHECK(count(*errors, "write_error_ratio") == 11);
  CHECK(count(*errors, "writes_per_second") == 21);
  CHECK(count(*errors, "servers") == 1);
}

TEST_CASE("a flipped bit in any byte of the log is found") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "log";
  std::vector<std::string> records = Records();
  records.resize(2);
  REQUIRE(AppendRecords(log, records, 0).ok());
  const std::string good = ReadFile(log).value();
  const std::uint64_t seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const std::size_t step = Rounds<std::size_t>(29, 1);
  for (std::size_t byte = random() % step; byte < good.size(); byte += step) {
    std::string bad = good;
    bad[byte] = static_cast<char>(bad[byte] ^ (1U << (random() % 8)));
    Write(log, bad);
    if (AuditOf(log).problems.empty()) {
      CAPTURE(byte);
      FAIL_CHECK("not found");
    }
  }
}

TEST_CASE(
    "a removed, repeated, swapped or inserted record is found, and lines removed at the end show in the "
    "number") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "log";
  REQUIRE(AppendRecords(log, Records(), 0).ok());
  std::vector<std::string> lines;
  REQUIRE(ForEachLine(log, [&](const LogLine& line) { lines.push_back(line.bytes + "\n"); }).ok());
  const auto problems = [&](const std::vector<std::string>& changed) {
    std::string text;
    for (const std::string& line : changed) text += line;
    Write(log, text);
    return AuditOf(log).problems.size();
  };
  CHECK(problems(lines) == 0);
  std::vector<std::string> removed = lines;
  removed.erase(removed.begin() + 3);
  CHECK(problems(removed) > 0);
  std::vector<std::string> repeated = lines;
  repeated.insert(repeated.begin() + 3, lines[3]);
  CHECK(problems(repeated) > 0);
  std::vector<std::string> swapped = lines;
  std::swap(swapped[2], swapped[3]);
  CHECK(problems(swapped) > 0);
  std::vector<std::string> inserted = lines;
  inserted.insert(inserted.begin() + 3, "{}\n");
  CHECK(problems(inserted) > 0);
  std::vector<std::string> emptied = lines;
  emptied.insert(emptied.begin() + 3, "\n");
  CHECK(problems(emptied) > 0);
  std::vector<std::string> cut(lines.begin(), lines.end() - 2);
  CHECK(problems(cut) == 0);
  CHECK(AuditOf(log).last.sequence == static_cast<std::int64_t>(lines.size()) - 2);
}

TEST_CASE("a verdict, a value or a limit that was forged and sealed anew doesn't follow") {
  struct Forgery {
    std::string_view from;
    std::string_view to;
  };
  const std::vector<Forgery> forgeries = {
      {"\"verdict\":\"migrate_now\",\"line\"", "\"verdict\":\"sufficient\",\"line\""},
      {"\"line\":\"MIGRATE NOW - Write errors >1% (SQLite saturated)\"", "\"line\":\"SQLite sufficient\""},
      {",0.02]", ",0.002]"},
      {"\"above\":0.01", "\"above\":0.1"},
      {"\"for_ms\":300000", "\"for_ms\":600000"},
      {"\"time_ms\":", "\"time_ms\":9"},
      {"\"time_ms\":179", "\"time_ms\":178"},
      {"\"coverage_minimum\":0.95", "\"coverage_minimum\":1.5"},
      {"\"interval_ms\":30000", "\"interval_ms\":0"},
      {"\"signals\":[", "\"signals\":[],\"x\":["},
  };
  const std::vector<std::string> records = Records();
  const auto errors = std::find_if(records.begin(), records.end(), [](const std::string& record) {
    return record.find("\"database\":\"errors\"") != std::string::npos;
  });
  REQUIRE(errors != records.end());
  for (const Forgery& forgery : forgeries) {
    CAPTURE(forgery.from);
    std::string forged = *errors;
    const std::size_t at = forged.find(forgery.from);
    REQUIRE(at != std::string::npos);
    forged.replace(at, forgery.from.size(), forgery.to);
    const TemporaryFolder folder;
    REQUIRE(AppendRecords(folder.path() / "log", {forged}, 0).ok());
    CHECK(AuditOf(folder.path() / "log").problems.size() == 1);
  }
}

TEST_CASE("an unfinished last line is reported and fails nothing; anywhere else it fails") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "log";
  REQUIRE(AppendRecords(log, Records(), 0).ok());
  const std::string good = ReadFile(log).value();
  Write(log, good + good.substr(0, 300));
  CHECK(AuditOf(log).problems.empty());
  CHECK(AuditOf(log).notes.size() == 1);
  Write(log, good + good.substr(0, 300) + "\n");
  CHECK(AuditOf(log).problems.size() == 1);
}

TEST_CASE("rotated segments are audited as one chain with the log, and a missing one is found") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "log";
  for (const std::string& record : Records()) REQUIRE(AppendRecords(log, {record}, 0, 6000).ok());
  const std::vector<fs::path> files = LogFiles(log).value();
  REQUIRE(files.size() > 3);
  CHECK(Audit(files).value().problems.empty());
  std::vector<fs::path> missing = files;
  missing.erase(missing.begin() + 1);
  CHECK_FALSE(Audit(missing).value().problems.empty());
  missing = {files.begin() + 1, files.end()};
  CHECK(Audit(missing).value().problems.empty());
  CHECK(Audit(missing).value().notes.size() == 1);
}

TEST_CASE("a log that was rotated by another program is noted, and holds together with the old one") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "log";
  REQUIRE(AppendRecords(log, Records(), 0).ok());
  fs::rename(log, folder.path() / "log.1");
  REQUIRE(AppendRecords(log, {Records()[0]}, 0).ok());
  const AuditReport both = Audit({folder.path() / "log.1", log}).value();
  CHECK(both.problems.empty());
  REQUIRE(both.notes.size() == 1);
  CHECK(both.notes[0].find("the log was missing or empty: another program rotated it") != std::string::npos);
  // The newer one alone says that there are others.
  CHECK(AuditOf(log).problems.empty());
  CHECK(AuditOf(log).notes.size() == 2);
}

TEST_CASE("a log from whose end records were cut is a problem once it goes on") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "log";
  REQUIRE(AppendRecords(log, {Records()[0]}, 0).ok());
  const std::string one = ReadFile(log).value();
  REQUIRE(AppendRecords(log, {Records()[1]}, 0).ok());
  Write(log, one);
  CHECK(AuditOf(log).problems.empty());
  REQUIRE(AppendRecords(log, {Records()[1]}, 0).ok());
  const AuditReport report = AuditOf(log);
  REQUIRE(report.problems.size() == 1);
  CHECK(report.problems[0].find("records up to #2") != std::string::npos);
}

TEST_CASE("a log of the first releases is accepted, also with records of this one after it") {
  const fs::path old = fs::path(OUTGROWN_SOURCE_ROOT) / "test/decision/history/schema1";
  const TemporaryFolder folder;
  for (const auto& entry : fs::directory_iterator(old)) fs::copy(entry.path(), folder.path());
  const fs::path log = folder.path() / "decisions.jsonl";
  REQUIRE(AppendRecords(log, Records(), 0).ok());
  const AuditReport report = AuditOf(log);
  for (const std::string& problem : report.problems) FAIL_CHECK(problem);
  CHECK(report.records == 12 + Records().size());
  CHECK(report.decisions == 10 + Records().size() - 1);
  CHECK(report.first_sequence == 1);
  // A verdict of the old ones that was forged and sealed anew is still found: its inputs decide.
  std::string text = ReadFile(folder.path() / "decisions.jsonl.000000000011").value();
  text.resize(text.find('\n'));
  std::string forged = text.substr(text.find("\"kind\""));
  forged.resize(forged.rfind(",\"hash\""));
  const std::string_view verdict =
      "\"verdict\":\"migrate_now\",\"line\":\"MIGRATE NOW - Write errors >1% (SQLite saturated)\"";
  REQUIRE(forged.find(verdict) != std::string::npos);
  forged.replace(forged.find(verdict), verdict.size(),
                 "\"verdict\":\"sufficient\",\"line\":\"SQLite sufficient\"");
  const fs::path other = folder.path() / "forged";
  REQUIRE(AppendRecords(other, {forged}, 0).ok());
  CHECK(AuditOf(other).problems.size() == 1);
}

TEST_CASE("the time between two periods that is in neither is noted, whatever is in between") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "log";
  MemorySource source;
  source.AddHealthyStore("a");
  constexpr std::int64_t kMinuteMs = 60'000;
  const auto decide = [&](std::int64_t from_ms, std::int64_t to_ms) {
    Evaluation evaluation = EvaluateMeasured(kSampleTable, source, to_ms);
    if (from_ms != 0) LookBack(evaluation, source, from_ms);
    REQUIRE(AppendRecords(log, {Recorder(evaluation, "test").Decision(evaluation.stores.at(0))}, 0).ok());
  };
  decide(kMemoryT - 50 * kMinuteMs, kMemoryT - 40 * kMinuteMs);
  decide(0, kMemoryT - 25 * kMinuteMs);  // an instant is no period
  decide(kMemoryT - 10 * kMinuteMs, kMemoryT);
  const AuditReport report = AuditOf(log);
  for (const std::string& problem : report.problems) FAIL_CHECK(problem);
  REQUIRE(report.notes.size() == 1);
  CHECK(report.notes[0] ==
        "checkpoint: a @ app-1:9108 (app): no decision covers 2026-09-21 13:33:37 UTC to 2026-09-21 "
        "14:03:37 UTC (30 min)");
  // Looked back at later, it is decided about; what is shorter than an interval hides no evaluation's window.
  decide(kMemoryT - 40 * kMinuteMs, kMemoryT - 10 * kMinuteMs - 20'000);
  CHECK(AuditOf(log).notes.empty());
}
