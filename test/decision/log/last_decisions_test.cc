#include "decision/log/last_decisions.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "common/file.h"
#include "decision/log/decision_log.h"
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
  for (std::size_t reach = 1; reach <= text.size(); ++reach) {
    CAPTURE(reach);
    const auto read = ReadLastDecisions(log, static_cast<std::int64_t>(reach));
    REQUIRE(read.ok());
    CHECK((*read)->last.sequence == 2);  // the last record is always looked at
    CHECK((*read)->decisions.size() == (reach <= text.size() - second ? 0 : reach == text.size() ? 2 : 1));
  }
}

TEST_CASE("where the newest segment is short, the rotated one before it is read too, and none before that") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "decisions.jsonl";
  for (const std::string store : {"first", "second", "third"}) {
    // Each append finds a log that is due, so that each store is in a segment of its own.
    REQUIRE(
        AppendRecords(log, {Decision(store, "sufficient", "1000"), Decision("all", store, "1000")}, 1000, 1)
            .ok());
  }
  const auto stores = [&] {
    std::string names;
    for (const auto& one : Read(log).decisions) names += one.labels[0].second + "=" + one.verdict + " ";
    return names;
  };
  CHECK(stores() == "all=third second=sufficient third=sufficient ");
  CHECK(Read(log).last.sequence == 6);
  // In the middle of a rotation there is no file of the log's name, then an empty one.
  fs::rename(log, log.string() + ".000000000006");
  CHECK(stores() == "all=third third=sufficient ");
  std::ofstream(log) << "";
  CHECK(stores() == "all=third third=sufficient ");
  CHECK(Read(log).last.sequence == 6);
  std::ofstream(log) << R"({"schema":1,"sequ)";
  CHECK(Read(log).last.sequence == 6);
}

TEST_CASE("every store's newest decision in a log of 64 MiB is found, at every place of a block's border") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "decisions.jsonl";
  constexpr int kStores = 10'000;
  std::vector<std::string> members;
  const std::string rest = R"(,"signals":")" + std::string(2700, 'x') + '"';
  for (const std::string verdict : {"migrate_now", "sufficient"}) {
    for (int store = 0; store < kStores; ++store)
      members.push_back(
          Decision("store-" + std::to_string(store), verdict, verdict == "sufficient" ? "2" : "1") + rest);
  }
  REQUIRE(AppendRecords(log, std::move(members), 1000).ok());
  const LastDecisions found = Read(log);
  CHECK(fs::file_size(log) < (64 << 20));
  CHECK(fs::file_size(log) > (60 << 20));
  CHECK(found.decisions.size() == kStores);
  CHECK(std::ranges::all_of(found.decisions, [](const auto& one) { return one.verdict == "sufficient"; }));
  CHECK(found.last.sequence == 2 * kStores);
}

TEST_CASE("labels mean the same however they are spelled, and what is no text is no label") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "decisions.jsonl";
  Append(log, {Decision(R"(a\u0062\"\\)", "migrate_now", "1000"), Decision(R"(ab\"\\)", "sufficient", "2000"),
               Decision(R"(\uD800)", "sufficient", "1"), Decision("\xFF", "sufficient", "1"),
               Decision("\x01", "sufficient", "1"), Decision("é", "sufficient", "1")});
  const LastDecisions found = Read(log);
  REQUIRE(found.decisions.size() == 2);
  CHECK(found.decisions[0].labels[0].second == "ab\"\\");
  CHECK(found.decisions[0].verdict == "sufficient");
  CHECK(found.decisions[1].labels[0].second == "é");
}

TEST_CASE("a line that is cut anywhere before its verdict says nothing, and one cut later what it said") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "decisions.jsonl";
  const fs::path whole = folder.path() / "whole.jsonl";
  Append(whole, {Decision("a", "sufficient", "1000"), Decision("b", "sufficient", "1000")});
  const std::string text = outgrown::ReadFile(whole).value();
  const std::size_t first = text.find('\n');
  const std::string verdict = "\"verdict\":\"sufficient\"";
  const std::size_t known = text.find(verdict) + verdict.size();
  for (std::size_t size = 0; size <= first; ++size) {
    CAPTURE(size);
    std::ofstream(log) << text.substr(0, size) << text.substr(first);
    CHECK(Read(log).decisions.size() == (size >= known ? 2 : 1));
  }
}

TEST_CASE("hostile logs end in an error or in nothing, in little memory") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "decisions.jsonl";
  const auto write = [&](const std::string& before) {
    fs::remove(log);
    Append(log, {kAttempt});
    const std::string record = outgrown::ReadFile(log).value();
    std::ofstream(log) << before << record;
  };
  write(std::string(8 << 20, '\n'));
  CHECK(ReadLastDecisions(log).error().what == "has too many lines that are no records");
  write(std::string(8 << 20, '[') + "\n");
  CHECK(Read(log).decisions.empty());
  write("{" + std::string(8 << 20, '"') + "\n{\"kind\":" + std::string(8 << 20, '\\') + "\n");
  CHECK(Read(log).decisions.empty());
  write("{\"kind\":\"decision\",\"a\":" + std::string(40'000, ' ') + "1\n");
  CHECK(Read(log).decisions.empty());
  std::ofstream(log) << std::string(32 << 20, 'x') << '\n';
  CHECK(ReadLastDecisions(log).error().what == "its last record is longer than 4 MiB");
  // Which of two counts nobody knows.
  fs::remove(log);
  Append(log, {R"("spec":"other",)" + Decision("a", "migrate_now", "1000")});
  CHECK(Read(log).decisions.empty());
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
