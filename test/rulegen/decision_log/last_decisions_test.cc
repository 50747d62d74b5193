#include "rulegen/decision_log/last_decisions.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "common/file.h"
#include "rulegen/decision_log/decision_log.h"
#include "test/common/temporary_folder.h"

namespace fs = std::filesystem;
using outgrown::decision_log::AppendRecords;
using outgrown::decision_log::LastDecisions;
using outgrown::decision_log::Link;
using outgrown::decision_log::ReadLastDecisions;
using outgrown::test::TemporaryFolder;

namespace {

// As record.cc writes it, with what comes after the verdict shortened.
std::string Decision(const std::string& database, const std::string& verdict, const std::string& time_ms,
                     const std::string& origin = "prometheus") {
  return R"("kind":"decision","version":"0.1.0","origin":")" + origin +
         R"(","spec":"checkpoint","digest":"d","time":"t","time_ms":)" + time_ms +
         R"(,"labels":{"database":")" + database + R"(","job":"outgrown"},"verdict":")" + verdict +
         R"(","line":"text","also":[],"table":{"verdicts":[{"id":"migrate_soon"}]})";
}

const std::string kAttempt =
    R"("kind":"attempt","origin":"prometheus","spec":"checkpoint","verdict":"undetermined")";

Link Append(const fs::path& path, const std::vector<std::string>& members) {
  return AppendRecords(path, members, 1000).value().back();
}

LastDecisions Read(const fs::path& path) {
  const auto read = ReadLastDecisions(path);
  REQUIRE(read.ok());
  REQUIRE(read->has_value());
  return **read;
}

}  // namespace

TEST_CASE("the last decision about each store is found, whatever else the log holds") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "decisions.jsonl";
  Append(log, {Decision("b", "sufficient", "1000"), Decision("a", "migrate_soon", "1000")});
  Append(log, {Decision("b", "migrate_now", "2000")});
  const Link last = Append(log, {Decision("b", "sufficient", "3000", "given"), kAttempt});

  const LastDecisions found = Read(log);
  REQUIRE(found.decisions.size() == 2);
  CHECK(found.decisions[0].spec == "checkpoint");
  CHECK(found.decisions[0].digest == "d");
  CHECK(found.decisions[0].labels ==
        std::vector<std::pair<std::string, std::string>>{{"database", "a"}, {"job", "outgrown"}});
  CHECK(found.decisions[0].verdict == "migrate_soon");
  CHECK(found.decisions[0].time_ms == 1000);
  CHECK(found.decisions[1].verdict == "migrate_now");
  CHECK(found.decisions[1].time_ms == 2000);
  CHECK(found.last.sequence == 5);
  CHECK(found.last.hash == last.hash);
}

TEST_CASE("a look back at an earlier instant is no newer decision") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "decisions.jsonl";
  Append(log, {Decision("a", "migrate_now", "2000"), Decision("a", "sufficient", "1000")});
  CHECK(Read(log).decisions.at(0).verdict == "migrate_now");
  Append(log, {Decision("a", "migrate_soon", "2000")});  // made anew: of two about one instant the later one
  CHECK(Read(log).decisions.at(0).verdict == "migrate_soon");
}

TEST_CASE("no log, an empty one and one with an unfinished record alone have no decision") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "decisions.jsonl";
  CHECK_FALSE(ReadLastDecisions(log).value().has_value());
  std::ofstream(log) << "";
  CHECK_FALSE(ReadLastDecisions(log).value().has_value());
  std::ofstream(log) << R"({"schema":1,"sequ)";
  CHECK_FALSE(ReadLastDecisions(log).value().has_value());
}

TEST_CASE("a record that is being written is left out") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "decisions.jsonl";
  Append(log, {Decision("a", "sufficient", "1000")});
  std::ofstream(log, std::ios::app) << R"({"schema":1,"sequence":2,"kind":"decision")";
  CHECK(Read(log).last.sequence == 1);
  CHECK(Read(log).decisions[0].verdict == "sufficient");
}

TEST_CASE("only the end of a long log is read, from its first whole record on") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "decisions.jsonl";
  Append(log, {Decision("old", "sufficient", "1000")});
  Append(log, {Decision("new", "migrate_now", "2000")});
  const std::string text = outgrown::ReadFile(log).value();
  const std::size_t second = text.find('\n') + 1;
  for (std::size_t tail_bytes = 1; tail_bytes <= text.size(); ++tail_bytes) {
    CAPTURE(tail_bytes);
    const auto read = ReadLastDecisions(log, tail_bytes);
    REQUIRE(read.ok());
    if (tail_bytes <= text.size() - second) {
      CHECK_FALSE(read->has_value());
    } else {
      CHECK((*read)->decisions.size() == (tail_bytes == text.size() ? 2 : 1));
    }
  }
}

TEST_CASE("a damaged last record, a folder and a FIFO are errors, and nothing is waited for") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "decisions.jsonl";
  Append(log, {Decision("a", "sufficient", "1000")});
  std::string text = outgrown::ReadFile(log).value();
  text[text.find("sufficient")] = 'S';
  std::ofstream(log) << text;
  CHECK(ReadLastDecisions(log).error().Text() ==
        log.string() + ": record 1: its content doesn't match its hash");
  CHECK(ReadLastDecisions(folder.path()).error().what == "the decision log is no regular file");
  const fs::path fifo = folder.path() / "fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  CHECK(ReadLastDecisions(fifo).error().what == "the decision log is no regular file");
}

TEST_CASE("a line that is no decision record says nothing, even if it looks like one") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "decisions.jsonl";
  for (
      const std::string members : {
          R"("kind":"decision","origin":"prometheus","spec":"checkpoint","time_ms":1,"verdict":"migrate_now")",
          R"("kind":"decision","origin":"prometheus","spec":"checkpoint","labels":{},"verdict":"migrate_now")",
          R"("kind":"decision","origin":"prometheus","time_ms":1,"labels":{},"verdict":"migrate_now")",
          R"("kind":"decision","spec":"checkpoint","time_ms":1,"labels":{},"verdict":"migrate_now")",
          R"("note":{"kind":"decision","origin":"prometheus","spec":"checkpoint","time_ms":1,"labels":{},"verdict":"v"})",
      }) {
    CAPTURE(members);
    fs::remove(log);
    Append(log, {members});
    CHECK(Read(log).decisions.empty());
    CHECK(Read(log).last.sequence == 1);
  }
}
