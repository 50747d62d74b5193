// The file of the newest decisions beside the log: what each record changes in it, and how it is made anew.
#include "decision/log/newest.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "common/digest.h"
#include "common/file.h"
#include "decision/log/decision_log.h"
#include "test/common/temporary_folder.h"

namespace fs = std::filesystem;
using namespace outgrown::decision_log;  // NOLINT(google-build-using-namespace): a test
using outgrown::ReadFile;
using outgrown::test::TemporaryFolder;

namespace {

constexpr std::int64_t kNowMs = 1'790'000'000'000;
constexpr std::int64_t kMinuteMs = 60'000;

struct Decision {
  std::string database = "a";
  std::string verdict = "sufficient";
  std::int64_t time_ms = kNowMs;
  std::string more = "";  // members
  std::string origin = "prometheus";
};

// As record.cc writes it, without what comes after the verdict.
std::string Members(const Decision& one) {
  return fmt::format(R"("kind":"decision","origin":"{}","spec":"checkpoint","digest":"d","time_ms":{},{})"
                     R"("labels":{{"job":"outgrown","database":"{}"}},"verdict":"{}")",
                     one.origin, one.time_ms, one.more, one.database, one.verdict);
}

const std::string kPeriod = R"("period":{},)";
const std::string kAt = R"("at":true,)";
const std::string kAttempt =
    R"("kind":"attempt","origin":"prometheus","spec":"checkpoint","verdict":"undetermined")";

struct Log {
  TemporaryFolder folder;
  fs::path path = folder.path() / "decisions.jsonl";

  Appended Append(const std::vector<std::string>& members, std::int64_t logged_ms = kNowMs,
                  std::int64_t rotate_bytes = kRotateBytes) const {
    return AppendRecords(path, members, logged_ms, rotate_bytes).value();
  }
  NewestDecisions Newest() const {
    const auto read = ReadNewest(path);
    REQUIRE(read.ok());
    REQUIRE(read->has_value());
    return **read;
  }
  // "a=sufficient b=migrate_now "
  std::string Verdicts() const {
    std::string text;
    for (const NewestDecision& one : Newest().decisions) {
      for (const auto& [name, value] : one.labels) {
        if (name == "database") text += value + "=" + one.verdict + " ";
      }
    }
    return text;
  }
};

// A record of schema 1, as the first releases wrote them.
std::string FirstSchema(const std::string& members, const Link& before, std::string_view logged) {
  const std::string body = fmt::format(R"({{"schema":1,"sequence":{},"previous":"{}","logged":"{}",{})",
                                       before.sequence + 1, before.hash, logged, members);
  return fmt::format(R"({},"hash":"{}"}})", body, outgrown::Sha256Hex(body)) + "\n";
}

}  // namespace

TEST_CASE("the newest decision about each store is kept, whatever else is logged") {
  const Log log;
  log.Append({Members({.database = "b"}), Members({.database = "a", .verdict = "migrate_soon"})});
  log.Append({Members({.database = "b", .verdict = "migrate_now"})});
  const Appended last = log.Append({Members({.database = "b", .origin = "given"}), kAttempt});
  const NewestDecisions found = log.Newest();
  REQUIRE(found.decisions.size() == 2);
  CHECK(found.decisions[0].spec == "checkpoint");
  CHECK(found.decisions[0].digest == "d");
  CHECK(found.decisions[0].labels == Labels{{"database", "a"}, {"job", "outgrown"}});
  CHECK(found.decisions[0].time_ms == kNowMs);
  CHECK(log.Verdicts() == "a=migrate_soon b=migrate_now ");
  CHECK(found.last == last.links.back());
  CHECK(last.warnings.empty());
  struct stat status = {};
  REQUIRE(::stat(NewestPath(log.path).c_str(), &status) == 0);
  CHECK(NewestPath(log.path) == log.folder.path() / "decisions.newest.json");
  CHECK((status.st_mode & 0007) == 0);
}

TEST_CASE("a new file of the newest decisions is readable for those who may read the log") {
  for (const mode_t mode : {0644U, 0600U, 0664U}) {
    const Log log;
    log.Append({Members({})});
    REQUIRE(::chmod(log.path.c_str(), mode) == 0);
    if (::geteuid() == 0) REQUIRE(::chown(log.path.c_str(), 4242, 4243) == 0);
    fs::remove(NewestPath(log.path));  // as a log is that an older version wrote
    log.Append({Members({})});
    struct stat status = {};
    struct stat log_status = {};
    REQUIRE(::stat(NewestPath(log.path).c_str(), &status) == 0);
    REQUIRE(::stat(log.path.c_str(), &log_status) == 0);
    CHECK((status.st_mode & 0777) == mode);
    CHECK(status.st_gid == log_status.st_gid);
  }
}

TEST_CASE("a look back with --at is no newer decision, and no instant or period to go on from") {
  const Log log;
  log.Append({Members({.verdict = "migrate_now"})});
  log.Append({Members({.time_ms = kNowMs - kMinuteMs, .more = kAt})});
  CHECK(log.Verdicts() == "a=migrate_now ");
  log.Append({Members({.verdict = "migrate_soon", .time_ms = kNowMs + kMinuteMs, .more = kAt + kPeriod})},
             kNowMs + kMinuteMs);
  CHECK(log.Verdicts() == "a=migrate_soon ");
  CHECK(log.Newest().decisions[0].instant_ms == kNowMs);
  CHECK(log.Newest().decisions[0].period_ms == 0);
}

TEST_CASE("the end of the newest period stays where it was when a moment is decided about") {
  const Log log;
  log.Append({Members({.more = kPeriod})});
  log.Append({Members({.time_ms = kNowMs + kMinuteMs})}, kNowMs + kMinuteMs);
  const NewestDecision one = log.Newest().decisions.at(0);
  CHECK(one.time_ms == kNowMs + kMinuteMs);
  CHECK(one.instant_ms == kNowMs + kMinuteMs);
  CHECK(one.period_ms == kNowMs);
}

TEST_CASE(
    "a time in the future counts as the moment of logging, and a clock that was ahead hides nothing later") {
  const Log log;
  log.Append({Members({.verdict = "migrate_now", .time_ms = kNowMs + 60 * kMinuteMs, .more = kPeriod})});
  CHECK(log.Newest().decisions[0].time_ms == kNowMs);
  CHECK(log.Newest().decisions[0].period_ms == kNowMs);
  const std::int64_t ahead_ms = kNowMs + std::int64_t{10'000} * kMinuteMs;
  log.Append({Members({.verdict = "migrate_now", .time_ms = ahead_ms})}, ahead_ms);
  log.Append({Members({.verdict = "sufficient", .time_ms = kNowMs + kMinuteMs})}, kNowMs + kMinuteMs);
  CHECK(log.Verdicts() == "a=sufficient ");
  CHECK(log.Newest().decisions[0].time_ms == kNowMs + kMinuteMs);
}

TEST_CASE("the first run after an upgrade makes the file from the log that is there") {
  const Log log;
  Link link;
  std::string text;
  const auto add = [&](const std::string& members, std::string_view logged) {
    const std::string line = FirstSchema(members, link, logged);
    text += line;
    link = OpenRecord(std::string_view(line).substr(0, line.size() - 1)).value().link;
  };
  // 2026-09-21T14:13:20Z is kNowMs.
  add(Members({.database = "b", .verdict = "migrate_now", .more = kPeriod}), "2026-09-21T14:13:30.000Z");
  add(Members({.database = "a"}), "2026-09-21T14:13:30.000Z");
  // A look back of hours, which schema 1 doesn't name.
  add(Members({.database = "b", .time_ms = kNowMs - 120 * kMinuteMs}), "2026-09-21T14:13:40.000Z");
  text += "not a record\n";
  add(Members({.database = "c", .verdict = "migrate_soon"}), "2026-09-21T14:13:50.000Z");
  std::ofstream(log.path) << text;
  CHECK_FALSE(ReadNewest(log.path).value().has_value());
  CHECK(log.Append({kAttempt}).links[0].sequence == 5);
  CHECK(log.Verdicts() == "a=sufficient b=migrate_now c=migrate_soon ");
  CHECK(log.Newest().decisions[1].period_ms == kNowMs);
  CHECK(log.Newest().last.sequence == 5);
}

TEST_CASE(
    "a file that a crash left behind, and one that is damaged, is rebuilt from the log and its newest "
    "segment") {
  const Log log;
  for (const std::string database : {"a", "b", "c"})
    log.Append({Members({.database = database})}, kNowMs, 1);  // each in a segment of its own
  const std::string before = ReadFile(NewestPath(log.path)).value();
  log.Append({Members({.database = "c", .verdict = "migrate_now"})});
  std::ofstream(NewestPath(log.path)) << before;
  CHECK(log.Append({kAttempt}).warnings.empty());
  CHECK(log.Verdicts() == "b=sufficient c=migrate_now ");
  for (const std::string damaged : {"", "{}", "[", "\"x\"", R"({"schema":1,"log":"decisions.jsonl"})"}) {
    CAPTURE(damaged);
    std::ofstream(NewestPath(log.path)) << damaged;
    CHECK_FALSE(ReadNewest(log.path).ok());
    const Appended appended = log.Append({kAttempt});
    REQUIRE(appended.warnings.size() == 1);
    CHECK(appended.warnings[0].find("rebuilt from the log") != std::string::npos);
    CHECK(log.Verdicts() == "b=sufficient c=migrate_now ");
  }
}

TEST_CASE("a file that can't be replaced keeps no decision from being logged, and is warned of") {
  const Log log;
  fs::create_directory(NewestPath(log.path));
  const Appended appended = log.Append({Members({})});
  CHECK(appended.links[0].sequence == 1);
  REQUIRE_FALSE(appended.warnings.empty());
  CHECK(appended.warnings.back().find("is not up to date") != std::string::npos);
}

TEST_CASE("another log of the same folder has a file of its own or none, and is not misled by this one") {
  const Log log;
  log.Append({Members({}), Members({})});
  const fs::path other = log.folder.path() / "decisions.log";  // the same file's name
  CHECK_FALSE(ReadNewest(other).value().has_value());
  const Appended appended = AppendRecords(other, {kAttempt}, kNowMs).value();
  CHECK(appended.links[0].sequence == 1);
  CHECK(appended.warnings.empty());
}

TEST_CASE("a folder and a FIFO are errors, and nothing is waited for") {
  const Log log;
  CHECK(ReadNewest(log.folder.path()).error().what == "the decision log is not a regular file");
  REQUIRE(::mkfifo(log.path.c_str(), 0600) == 0);
  CHECK(ReadNewest(log.path).error().what == "the decision log is not a regular file");
  fs::remove(log.path);
  REQUIRE(::mkfifo(NewestPath(log.path).c_str(), 0600) == 0);
  CHECK(ReadNewest(log.path).error().what == "not a regular file");
}

TEST_CASE("what is no decision, or lacks a part, is none") {
  const std::string whole = Members({});
  for (const std::string member :
       {"\"kind\":\"decision\"", "\"origin\":\"prometheus\"", "\"spec\":\"checkpoint\"", "\"digest\":\"d\"",
        "\"time_ms\":1790000000000", "\"labels\":{\"job\":\"outgrown\",\"database\":\"a\"}",
        "\"verdict\":\"sufficient\""}) {
    CAPTURE(member);
    for (const std::string instead : {"\"x\":1", "\"x\":{\"y\":[1]}"}) {
      const Log log;
      std::string without = whole;
      without.replace(without.find(member), member.size(), instead);
      log.Append({without});
      CHECK(log.Newest().decisions.empty());
    }
  }
}

TEST_CASE(
    "a store that was not decided about for 90 days is left out, however old the moment that was asked for") {
  const Log log;
  constexpr std::int64_t kDayMs = kMinuteMs * 60 * 24;
  log.Append({Members({.database = "old"})});
  log.Append({Members({.database = "asked", .time_ms = kNowMs - 300 * kDayMs, .more = kAt})},
             kNowMs + 2 * kDayMs);
  log.Append({Members({.database = "new", .time_ms = kNowMs + 91 * kDayMs})}, kNowMs + 91 * kDayMs);
  CHECK(log.Verdicts() == "asked=sufficient new=sufficient ");
}

TEST_CASE("no decision is left out because there are many") {
  constexpr int kStores = 100'001;  // more than an earlier version kept
  NewestBook book;
  for (int store = 0; store < kStores; ++store) {
    Decided decided;
    decided.decision = {.spec = "checkpoint",
                        .labels = {{"database", std::to_string(store)}},
                        .digest = "d",
                        .verdict = "sufficient",
                        .time_ms = kNowMs};
    book.Take(std::move(decided), kNowMs);
  }
  CHECK(std::ranges::count(book.Lines(kNowMs), '\n') == kStores);
}
