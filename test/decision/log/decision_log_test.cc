#include "decision/log/decision_log.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "common/file.h"
#include "test/common/temporary_folder.h"
#include "test/decision/log/log_lines.h"

namespace fs = std::filesystem;
using namespace outgrown;                // NOLINT(google-build-using-namespace): a test
using namespace outgrown::decision_log;  // NOLINT(google-build-using-namespace)
using outgrown::ReadFile;
using outgrown::test::kOneRecord;
using outgrown::test::Lines;
using outgrown::test::TemporaryFolder;
using outgrown::test::VerifyChain;

namespace {

void AppendText(const fs::path& path, const std::string& text) { std::ofstream(path, std::ios::app) << text; }

}  // namespace

TEST_CASE("records are numbered and chained, each run going on where the last one ended") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "state" / "decisions.jsonl";
  CHECK(AppendRecords(log, kOneRecord, 0).value().links[0].sequence == 1);
  const auto links = AppendRecords(log, {R"("kind":"a")", R"("kind":"b")"}, 0);
  REQUIRE(links.ok());
  CHECK(links->links[0].sequence == 2);
  CHECK(links->links[1].sequence == 3);
  CHECK(VerifyChain(Lines(log)) == 3);
  struct stat status = {};
  REQUIRE(::stat(log.c_str(), &status) == 0);
  CHECK((status.st_mode & 0007) == 0);  // a decision is not the world's
}

TEST_CASE("one flipped bit anywhere in a record is found") {
  Link link;
  const std::string line = SealRecord({}, 0, R"("kind":"decision","x":[1,2.5,"é"])", link);
  REQUIRE(OpenRecord(line).ok());
  for (std::size_t byte = 0; byte < line.size(); ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = line;
      flipped[byte] = static_cast<char>(flipped[byte] ^ (1 << bit));
      const auto record = OpenRecord(flipped);
      if (record.ok()) {
        CAPTURE(byte);
        CAPTURE(bit);
        CHECK_FALSE(record.ok());
      }
    }
  }
}

TEST_CASE("an unfinished record is cut off by the next append, which tells of it") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "log";
  Link link;
  const std::string whole = SealRecord({}, 0, R"("kind":"decision")", link);
  for (std::size_t size = 1; size<whole.size(); size += size> whole.size() - 8 ? 1 : 17) {
    CAPTURE(size);
    fs::remove(log);
    fs::remove(NewestPath(log));
    REQUIRE(AppendRecords(log, kOneRecord, 0).ok());
    AppendText(log, whole.substr(0, size));
    const auto links = AppendRecords(log, kOneRecord, 0);
    REQUIRE(links.ok());
    const std::vector<std::string> lines = Lines(log);
    CHECK(VerifyChain(lines) == 2);
    CHECK(lines[1].find("\"dropped_bytes\":" + std::to_string(size)) != std::string::npos);
  }
}

TEST_CASE("an unfinished record with a label named hash is cut off as well") {
  Link link;
  const std::string members =
      fmt::format(R"("labels":{{"app":"a","hash":"b"}},"text":"{}")", std::string(200, 'x'));
  const std::string whole = SealRecord({}, 0, members, link);
  for (std::size_t size = 1; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(ClassifyRemainder(whole.substr(0, size), false) == Remainder::kUnfinished);
  }
  CHECK(ClassifyRemainder(whole + "x", false) == Remainder::kDamaged);  // the newline was overwritten
}

TEST_CASE("a record that lacks nothing but its newline is kept") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "log";
  REQUIRE(AppendRecords(log, kOneRecord, 0).ok());
  fs::resize_file(log, fs::file_size(log) - 1);
  REQUIRE(AppendRecords(log, kOneRecord, 0).ok());
  CHECK(VerifyChain(Lines(log)) == 2);
}

TEST_CASE("blocks that a power cut left zero are unfinished too, with or without the newline behind them") {
  const TemporaryFolder folder;
  for (const std::string& rest : {std::string(5000, '\0'), std::string(5000, '\0') + "\"}\n"}) {
    const fs::path log = folder.path() / "log";
    fs::remove(log);
    fs::remove(NewestPath(log));
    REQUIRE(AppendRecords(log, kOneRecord, 0).ok());
    AppendText(log, rest);
    REQUIRE(AppendRecords(log, kOneRecord, 0).ok());
    CHECK(VerifyChain(Lines(log)) == 2);
  }
}

TEST_CASE("a damaged end is never built upon and never cut off") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "log";
  REQUIRE(AppendRecords(log, kOneRecord, 0).ok());
  REQUIRE(AppendRecords(log, kOneRecord, 0).ok());
  const std::string good = ReadFile(log).value();
  const std::size_t second = good.find('\n') + 1;
  // Every byte of the last record, its newline included, and of the newline before it.
  for (std::size_t byte = second - 1; byte < good.size(); ++byte) {
    const bool at_an_edge = byte < second + 2 || byte + 4 > good.size();
    for (int bit = 0; bit < (at_an_edge ? 8 : 1); ++bit) {
      std::string bad = good;
      bad[byte] = static_cast<char>(bad[byte] ^ (1 << bit));
      std::ofstream(log, std::ios::trunc) << bad;
      const auto appended = AppendRecords(log, kOneRecord, 0);
      if (appended.ok() || ReadFile(log).value() != bad) {
        CAPTURE(byte);
        CAPTURE(bit);
        CHECK_FALSE(appended.ok());
      }
    }
  }
  for (const std::string rest : {"a note\n", "a note", "\n", "{}\n"}) {
    std::ofstream(log, std::ios::trunc) << good << rest;
    CHECK_FALSE(AppendRecords(log, kOneRecord, 0).ok());
    CHECK(ReadFile(log).value() == good + rest);
  }
}

TEST_CASE("a record of a later version is refused as one") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "log";
  REQUIRE(AppendRecords(log, kOneRecord, 0).ok());
  std::string later = ReadFile(log).value();
  later.replace(later.find("2"), 1, "12");
  std::ofstream(log, std::ios::trunc) << later;
  CHECK(AppendRecords(log, kOneRecord, 0).error().what.find("schema 12, where this version knows 1 and 2") !=
        std::string::npos);
  CHECK(ReadFile(log).value() == later);
}

TEST_CASE("a log that logrotate has compressed is recognised") {
  CHECK(OpenRecord("\x1f\x8b\x08").error().what == "compressed with gzip; decompress it first");
}

TEST_CASE("what is no regular file is refused and not waited for") {
  const TemporaryFolder folder;
  const fs::path fifo = folder.path() / "fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  CHECK(AppendRecords(fifo, kOneRecord, 0).error().what == "not a regular file");
  CHECK(AppendRecords("/dev/full", kOneRecord, 0).error().what == "not a regular file");
  CHECK_FALSE(AppendRecords(folder.path(), kOneRecord, 0).ok());
  std::ofstream(folder.path() / "file") << "x";
  CHECK_FALSE(AppendRecords(folder.path() / "file" / "log", kOneRecord, 0).ok());
}

TEST_CASE("records that are asked for one by one are the same log, however many there are") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "log";
  const fs::path other = folder.path() / "other";
  // Some MB: written in several parts while more are asked for.
  const auto members = [](std::size_t index) {
    return fmt::format(R"("kind":"decision","number":{},"text":"{}")", index,
                       std::string(20'000 + index, 'x'));
  };
  std::vector<std::string> all;
  for (std::size_t index = 0; index < 400; ++index) all.push_back(members(index));
  std::size_t asked = 0;
  const auto record_of = [&](std::size_t index) {
    CHECK(index == asked++);
    return Record{members(index), {}};
  };
  for (int run = 0; run < 2; ++run) {
    asked = 0;
    const auto appended = AppendRecords(log, all.size(), record_of, 0);
    REQUIRE(appended.ok());
    CHECK(appended->links == AppendRecords(other, all, 0).value().links);
    CHECK(asked == all.size());
  }
  CHECK(VerifyChain(Lines(log)) == 800);
  CHECK(ReadFile(log).value() == ReadFile(other).value());
}

TEST_CASE(
    "a file size limit in the midst of many records takes all of them back, and so does what is thrown") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "log";
  REQUIRE(AppendRecords(log, kOneRecord, 0).ok());
  const std::string before = ReadFile(log).value();
  const std::vector<std::string> many(400, R"("kind":"decision","text":")" + std::string(20'000, 'x') + '"');
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit limit = {3'000'000, 3'000'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const auto appended = AppendRecords(log, many, 0);
    ::_exit(!appended.ok() && appended.error().what == "cannot write: File too large" ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(ReadFile(log).value() == before);
  const auto record_of = [&](std::size_t index) {
    if (index == 399) throw std::runtime_error("no more");
    return Record{many[index], {}};
  };
  CHECK_THROWS(static_cast<void>(AppendRecords(log, many.size(), record_of, 0)));
  CHECK(ReadFile(log).value() == before);
}

TEST_CASE("a file size limit is an error, and what was written of the record is taken back") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "log";
  REQUIRE(AppendRecords(log, kOneRecord, 0).ok());
  const std::string before = ReadFile(log).value();
  for (const std::size_t room : {0UL, 1UL, 100UL}) {
    const pid_t child = ::fork();
    if (child == 0) {
      const rlimit limit = {before.size() + room, before.size() + room};
      ::setrlimit(RLIMIT_FSIZE, &limit);
      const auto appended = AppendRecords(log, kOneRecord, 0);
      ::_exit(!appended.ok() && appended.error().what == "cannot write: File too large" ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    CHECK(ReadFile(log).value() == before);
  }
}

TEST_CASE("the log's place comes from systemd, else from XDG, else from the home folder") {
  const auto place = [](const char* state, const char* xdg, const char* home) {
    const auto put = [](const char* name, const char* value) {
      value == nullptr ? ::unsetenv(name) : ::setenv(name, value, 1);
    };
    const char* home_before = std::getenv("HOME");
    const std::string old_home = home_before == nullptr ? "" : home_before;
    put("STATE_DIRECTORY", state);
    put("XDG_STATE_HOME", xdg);
    put("HOME", home);
    const auto path = DefaultLogPath();
    put("STATE_DIRECTORY", nullptr);
    put("XDG_STATE_HOME", nullptr);
    put("HOME", old_home.c_str());
    return path.ok() ? path->string() : "error";
  };
  CHECK(place("/var/lib/outgrown:/other", "/x", "/h") == "/var/lib/outgrown/decisions.jsonl");
  CHECK(place(nullptr, "/x", "/h") == "/x/outgrown/decisions.jsonl");
  CHECK(place("", "relative", "/h") == "/h/.local/state/outgrown/decisions.jsonl");
  CHECK(place(nullptr, nullptr, nullptr) == "error");
}
