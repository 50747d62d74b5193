// The commit counter against the true number of commits, in every journal mode and beside live writers.
#include "exporter/sqlite/commit_counter.h"

#include <cstdint>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "exporter/sqlite/probe_file.h"
#include "test/common/temporary_folder.h"
#include "test/exporter/sqlite/sqlite_process.h"

using outgrown::exporter::sqlite::CommitCounter;
using outgrown::exporter::sqlite::FileStatus;
using outgrown::exporter::sqlite::KnownLog;
using outgrown::exporter::sqlite::Measured;
using outgrown::exporter::sqlite::Problem;
using outgrown::exporter::sqlite::ProblemId;
using outgrown::exporter::sqlite::ReadCommitCounter;
using outgrown::exporter::sqlite::StatusOf;
using outgrown::test::SharedCounter;
using outgrown::test::SqliteProcess;
using outgrown::test::TemporaryFolder;

namespace {

using Source = CommitCounter::Source;

std::int64_t Commits(const std::string& path, Source source) {
  const Measured<CommitCounter> counter = ReadCommitCounter(path);
  INFO("problem: ", counter.ok() ? "none" : ProblemId(counter.problem()));
  REQUIRE(counter.ok());
  CHECK(counter->source == source);
  return counter->commits;
}

constexpr int kOk = 0;

}  // namespace

TEST_CASE("in WAL mode the wal-index counts each committed write transaction and nothing else") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "a.db").string();
  for (const std::string page_bytes : {"512", "4096", "65536"}) {
    CAPTURE(page_bytes);
    const std::string name = path + page_bytes;
    SqliteProcess writer(name);
    REQUIRE(writer.Exec("PRAGMA page_size=" + page_bytes + "; PRAGMA journal_mode=WAL; CREATE TABLE t(x)") ==
            kOk);
    const std::int64_t base = Commits(name, Source::kWalIndex);
    std::int64_t committed = 0;
    for (int i = 0; i < 20; ++i, ++committed) REQUIRE(writer.Exec("INSERT INTO t VALUES (1)") == kOk);
    CHECK(Commits(name, Source::kWalIndex) == base + committed);

    REQUIRE(writer.Exec("BEGIN; INSERT INTO t VALUES (2); INSERT INTO t VALUES (3)") == kOk);
    CHECK(Commits(name, Source::kWalIndex) == base + committed);
    REQUIRE(writer.Exec("COMMIT") == kOk);
    CHECK(Commits(name, Source::kWalIndex) == base + ++committed);

    REQUIRE(writer.Exec("BEGIN; INSERT INTO t VALUES (4); ROLLBACK; BEGIN IMMEDIATE; COMMIT") == kOk);
    CHECK(writer.Query("SELECT count(*) FROM t") == 22);
    CHECK(Commits(name, Source::kWalIndex) == base + committed);
  }
}

TEST_CASE("no checkpoint, and no log that starts over, moves the wal-index's counter") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "a.db").string();
  SqliteProcess writer(path);
  SqliteProcess other(path);
  REQUIRE(writer.Exec("PRAGMA journal_mode=WAL; CREATE TABLE t(x)") == kOk);
  std::int64_t expected = Commits(path, Source::kWalIndex);
  for (const std::string mode : {"PASSIVE", "FULL", "RESTART", "TRUNCATE"}) {
    CAPTURE(mode);
    REQUIRE(writer.Exec("INSERT INTO t VALUES (1)") == kOk);
    REQUIRE(other.Exec("INSERT INTO t VALUES (1)") == kOk);
    expected += 2;
    CHECK(Commits(path, Source::kWalIndex) == expected);
    CHECK(other.Query("PRAGMA wal_checkpoint(" + mode + ")") == 0);
    CHECK(Commits(path, Source::kWalIndex) == expected);
    REQUIRE(writer.Exec("INSERT INTO t VALUES (1)") == kOk);  // the log starts over here, with new salts
    CHECK(Commits(path, Source::kWalIndex) == ++expected);
  }
}

TEST_CASE("the reader of the oldest snapshot is named, for as long as its transaction lasts") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "a.db").string();
  SqliteProcess writer(path);
  SqliteProcess old(path);
  SqliteProcess newer(path);
  REQUIRE(writer.Exec("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE t(x)") == kOk);
  const auto oldest = [&] {
    const Measured<CommitCounter> counter = ReadCommitCounter(path);
    REQUIRE(counter.ok());
    return counter->oldest_reader;
  };
  CHECK_FALSE(oldest());
  REQUIRE(old.Exec("BEGIN; SELECT * FROM t") == kOk);
  CHECK_FALSE(oldest());  // it sees everything there is
  const std::int64_t frames = ReadCommitCounter(path)->frames;
  REQUIRE(writer.Exec("INSERT INTO t VALUES (1)") == kOk);
  REQUIRE(oldest());
  CHECK(oldest()->process == old.process());
  CHECK(oldest()->frames == frames);

  REQUIRE(newer.Exec("BEGIN; SELECT * FROM t") == kOk);
  REQUIRE(writer.Exec("INSERT INTO t VALUES (2)") == kOk);
  CHECK(oldest()->process == old.process());
  REQUIRE(old.Exec("ROLLBACK") == kOk);
  CHECK(oldest()->process == newer.process());
  CHECK(oldest()->frames > frames);
  // It holds a checkpoint back, which copies what it sees and no more.
  REQUIRE(writer.Exec("PRAGMA wal_checkpoint") == kOk);
  CHECK(ReadCommitCounter(path)->frames_backfilled == oldest()->frames);
  REQUIRE(newer.Exec("COMMIT") == kOk);
  CHECK_FALSE(oldest());
  // An open write transaction has the newest snapshot.
  REQUIRE(old.Exec("BEGIN IMMEDIATE; INSERT INTO t VALUES (3)") == kOk);
  CHECK_FALSE(oldest());
}

TEST_CASE("when the last connection closes, the wal-index's counter starts over at 0") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "a.db").string();
  {
    SqliteProcess writer(path);
    REQUIRE(writer.Exec("PRAGMA journal_mode=WAL; CREATE TABLE t(x); INSERT INTO t VALUES (1)") == kOk);
    CHECK(Commits(path, Source::kWalIndex) > 0);
  }
  CHECK(Commits(path, Source::kWalIndex) == 0);
  SqliteProcess writer(path);
  REQUIRE(writer.Exec("INSERT INTO t VALUES (1)") == kOk);
  CHECK(Commits(path, Source::kWalIndex) == 1);

  SUBCASE("and a killed one leaves the last count, until recovery starts over") {
    writer.Kill();
    CHECK(Commits(path, Source::kWalIndex) == 1);
    SqliteProcess recovering(path);
    CHECK(recovering.Query("SELECT count(*) FROM t") == 2);
    CHECK(Commits(path, Source::kWalIndex) == 0);
    REQUIRE(recovering.Exec("INSERT INTO t VALUES (1)") == kOk);
    CHECK(Commits(path, Source::kWalIndex) == 1);
  }
}

TEST_CASE("in the rollback modes the header counts each committed write transaction and nothing else") {
  const TemporaryFolder folder;
  for (const std::string mode : {"DELETE", "TRUNCATE", "PERSIST", "MEMORY", "OFF"}) {
    CAPTURE(mode);
    const std::string path = (folder.path() / (mode + ".db")).string();
    SqliteProcess writer(path);
    CHECK(Commits(path, Source::kHeader) == 0);  // made, but empty
    REQUIRE(writer.Exec("PRAGMA journal_mode=" + mode + "; CREATE TABLE t(x)") == kOk);
    std::int64_t expected = 1;
    CHECK(Commits(path, Source::kHeader) == expected);
    for (int i = 0; i < 10; ++i) {
      REQUIRE(writer.Exec("INSERT INTO t VALUES (1)") == kOk);
      CHECK(Commits(path, Source::kHeader) == ++expected);
    }
    REQUIRE(writer.Exec("BEGIN; INSERT INTO t VALUES (2)") ==
            kOk);  // holds RESERVED and, but for two modes, a journal
    CHECK(Commits(path, Source::kHeader) == expected);
    REQUIRE(writer.Exec("COMMIT") == kOk);
    CHECK(Commits(path, Source::kHeader) == ++expected);
    if (mode != "OFF") {
      REQUIRE(writer.Exec("BEGIN; INSERT INTO t VALUES (2); ROLLBACK") == kOk);
      CHECK(Commits(path, Source::kHeader) == expected);
    }
    REQUIRE(writer.Exec("VACUUM") == kOk);
    CHECK(Commits(path, Source::kHeader) == ++expected);
    writer.Close();
    CHECK(Commits(path, Source::kHeader) == expected);
  }
}

TEST_CASE("a change of the journal mode changes the source, so that it can't look like a burst of commits") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "a.db").string();
  SqliteProcess writer(path);
  REQUIRE(writer.Exec("CREATE TABLE t(x)") == kOk);
  CHECK(Commits(path, Source::kHeader) == 1);
  REQUIRE(writer.Exec("PRAGMA journal_mode=WAL; INSERT INTO t VALUES (1)") == kOk);
  CHECK(Commits(path, Source::kWalIndex) == 1);
  REQUIRE(writer.Exec("PRAGMA journal_mode=DELETE") == kOk);
  CHECK(Commits(path, Source::kHeader) >= 2);
}

TEST_CASE("the header says how large the pages are and how many of them hold nothing") {
  for (const std::string mode : {"DELETE", "WAL"}) {
    CAPTURE(mode);
    const TemporaryFolder folder;
    const std::string path = (folder.path() / "a.db").string();
    SqliteProcess writer(path);
    REQUIRE(writer.Exec("PRAGMA page_size=8192; PRAGMA journal_mode=" + mode +
                        "; CREATE TABLE t(x); INSERT INTO t VALUES (zeroblob(819200))") == kOk);
    const auto counter = [&] {
      REQUIRE(writer.Exec("PRAGMA wal_checkpoint(TRUNCATE)") == kOk);
      const Measured<CommitCounter> read = ReadCommitCounter(path);
      REQUIRE(read.ok());
      CHECK(read->page_bytes == 8192);
      return read->free_pages;
    };
    CHECK(counter() == 0);
    REQUIRE(writer.Exec("DELETE FROM t") == kOk);
    // The blob's overflow pages: each holds 8188 bytes of it, the table's own page the rest.
    CHECK(counter() == 100);
    REQUIRE(writer.Exec("VACUUM") == kOk);
    CHECK(counter() == 0);
  }
}

TEST_CASE("beside live writers each reading lies between what was acknowledged before and after it") {
  for (const std::string mode : {"WAL", "DELETE", "TRUNCATE", "PERSIST"}) {
    CAPTURE(mode);
    const TemporaryFolder folder;
    const std::string path = (folder.path() / "a.db").string();
    constexpr std::uint64_t kWriters = 2;
    constexpr std::uint64_t kCommits = 400;
    const SharedCounter acknowledged;
    std::vector<std::unique_ptr<SqliteProcess>> writers;
    for (std::uint64_t i = 0; i < kWriters; ++i) {
      writers.push_back(std::make_unique<SqliteProcess>(path));
      REQUIRE(writers.back()->Exec("PRAGMA busy_timeout=60000; PRAGMA journal_mode=" + mode +
                                   "; PRAGMA synchronous=OFF") == kOk);
    }
    REQUIRE(writers[0]->Exec("CREATE TABLE t(x)") == kOk);
    const Source source = mode == "WAL" ? Source::kWalIndex : Source::kHeader;
    const auto base = static_cast<std::uint64_t>(Commits(path, source));
    for (const auto& writer : writers) {
      writer->Repeat("INSERT INTO t VALUES (randomblob(3000))", kCommits, acknowledged.get());
    }
    std::uint64_t readings = 0;
    std::uint64_t last = 0;
    while (acknowledged.value() < kWriters * kCommits) {
      const std::uint64_t before = acknowledged.value();
      const Measured<CommitCounter> counter = ReadCommitCounter(path);
      const std::uint64_t after = acknowledged.value();
      if (!counter.ok()) {
        // A busy store may be in the middle of a commit whenever it is looked at, and on a busy machine a writer may be
        // off the processor there for as long as the probe tries; the log may begin anew between the two looks at index and
        // log. Each has its reason; none is a wrong count.
        const std::set<Problem> passing = {Problem::kExclusive, Problem::kChanging, Problem::kHotJournal,
                                           Problem::kWalIndexDamaged, Problem::kWalIndexUnrelated};
        CAPTURE(static_cast<int>(counter.problem()));
        CHECK(passing.contains(counter.problem()));
        continue;
      }
      ++readings;
      REQUIRE(counter->commits >= base + before);
      REQUIRE(counter->commits <= base + after + kWriters);  // committed, not acknowledged yet
      REQUIRE(counter->commits >= last);
      last = counter->commits;
    }
    CHECK(readings > 0);
    CHECK(Commits(path, source) == static_cast<std::int64_t>(base + kWriters * kCommits));
    MESSAGE(mode, ": ", readings, " readings beside ", kWriters * kCommits, " commits");
  }
}

TEST_CASE("a log that nothing has changed since is not opened again, and one that was changed is") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "a.db").string();
  const std::string log_path = path + "-wal";
  SqliteProcess writer(path);
  REQUIRE(writer.Exec("PRAGMA journal_mode=WAL; CREATE TABLE t(x); INSERT INTO t VALUES (1)") == kOk);
  KnownLog known;
  const auto read = [&](const FileStatus& log, std::uint64_t now_unix_ns) {
    return ReadCommitCounter(path, {.log = log, .known_log = &known, .now_unix_ns = now_unix_ns});
  };
  const FileStatus before = *StatusOf(log_path);
  // Within the same tick it might be changed once more, and look the same.
  REQUIRE(read(before, before.changed_ns).ok());
  CHECK(known.log.inode == 0);
  const std::uint64_t later = before.changed_ns + 4'000'000'000;
  REQUIRE(read(before, later).ok());
  CHECK(known.log == before);

  // Another log's salts, in a file of the same size: SQLite itself would never do that.
  {
    std::fstream log(log_path, std::ios::in | std::ios::out | std::ios::binary);
    log.seekp(16);
    log.write("otherlog", 8);
  }
  CHECK(read(before, later).ok());  // the stat is an old one: the file is not opened
  const FileStatus after = *StatusOf(log_path);
  REQUIRE(after.size_bytes == before.size_bytes);
  const Measured<CommitCounter> counter = read(after, later);
  REQUIRE_FALSE(counter.ok());
  CHECK(counter.problem() == Problem::kWalIndexUnrelated);
}
