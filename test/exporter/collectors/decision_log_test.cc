// The collector of the decision log: the newest decisions and the end of the log.
#include "decision/log/decision_log.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "common/time_text.h"
#include "exporter/collectors/collectors.h"
#include "exporter/collectors/samples.h"
#include "test/exporter/collectors/collected.h"

using namespace outgrown::exporter;  // NOLINT(google-build-using-namespace): the whole file is about it
using namespace outgrown::test;      // NOLINT(google-build-using-namespace): its helpers

TEST_CASE("the last decisions and the log's end are shown, and nothing without a log") {
  const TemporaryFolder folder;
  Settings settings = MakeSettings();
  const auto lines = [&](bool expect_ok = true) {
    return Lines([&](Samples& samples) { return CollectDecisionLog(settings, samples); }, expect_ok);
  };
  CHECK(lines().empty());
  settings.decision_log = (folder.path() / "decisions.jsonl").string();
  CHECK(lines().empty());
  const auto decision = [](std::string_view database, std::int64_t time_ms) {
    return fmt::format(
        R"("kind":"decision","origin":"prometheus","spec":"checkpoint","digest":"0d","time_ms":{},)"
        R"("labels":{{"job":"x","database":"{}"}},"verdict":"migrate_now")",
        time_ms, database);
  };
  const auto append = [&](const std::string& members, std::int64_t logged_ms) {
    return outgrown::decision_log::AppendRecords(settings.decision_log, {members}, logged_ms)
        .value()
        .links.back()
        .hash;
  };
  const std::string hash = append(decision("a", 1795473190500), 1795473191000);
  // By key, not as they were logged: an alert builds the same text.
  const std::string store = R"({store="checkpoint",subject="database=a,job=x")";
  CHECK(lines() == std::vector<std::string>{
                       "checkpoint_decision_timestamp_seconds" + store + "} 1795473190.5",
                       "checkpoint_decision_verdict" + store + R"(,verdict="migrate_now"} 1)",
                       "checkpoint_decision_spec_info" + store + R"(,digest="0d"} 1)",
                       "checkpoint_decision_log_records_total 1",
                       R"(checkpoint_decision_log_info{hash=")" + hash + R"("} 1)",
                   });
  // One that was made while the clock was ahead must not keep the alert on an overdue decision silent.
  const std::int64_t ahead_ms = outgrown::NowMs() + 86'400'000;
  append(decision("b", ahead_ms), ahead_ms);
  std::string all;
  for (const std::string& line : lines()) all += line + "\n";
  CHECK(all.find(R"(checkpoint_decision_verdict{store="checkpoint",subject="database=b,job=x")") !=
        std::string::npos);
  CHECK(all.find(R"(checkpoint_decision_timestamp_seconds{store="checkpoint",subject="database=b,job=x")") ==
        std::string::npos);
  // As a log is that an older version wrote: the warning about the failed collector says what to do.
  std::filesystem::remove(outgrown::decision_log::NewestPath(settings.decision_log));
  CHECK(lines(false).empty());
  Samples samples;
  const std::string why = CollectDecisionLog(settings, samples).error().Text();
  CAPTURE(why);
  CHECK(why.find("decisions.newest.json") != std::string::npos);
  CHECK(why.find("rulegen --evaluate") != std::string::npos);
  std::ofstream(settings.decision_log) << "";
  CHECK(lines().empty());
  settings.decision_log = folder.path().string();
  CHECK(lines(false).empty());
}

TEST_CASE("a file of newest decisions that is too large to be read is a failure, not fewer decisions") {
  const TemporaryFolder folder;
  Settings settings = MakeSettings();
  settings.decision_log = (folder.path() / "decisions.jsonl").string();
  std::ofstream(settings.decision_log) << "{}\n";
  const std::filesystem::path newest = outgrown::decision_log::NewestPath(settings.decision_log);
  std::ofstream(newest) << "{";
  std::filesystem::resize_file(newest, (64U << 20U) + 1);
  Samples samples;
  const outgrown::Result<void> done = CollectDecisionLog(settings, samples);
  REQUIRE(!done.ok());
  CHECK(done.error().what == "larger than 67108864 bytes");
  CHECK(done.error().where == newest.string());
  CHECK(samples.families().empty());
}
