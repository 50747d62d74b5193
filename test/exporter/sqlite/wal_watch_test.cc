// The commits of every life of the wal-index, against the true number of commits of real SQLite processes.
#include "exporter/sqlite/wal_watch.h"

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include "test/common/temporary_folder.h"
#include "test/exporter/sqlite/sqlite_process.h"
#include "test/exporter/sqlite/wal_seen.h"
#include "test/exporter/sqlite/wal_writers.h"
#include "test/support/rounds.h"

namespace fs = std::filesystem;
using namespace outgrown::test;  // NOLINT(google-build-using-namespace): its helpers
using outgrown::exporter::sqlite::WalWatch;

TEST_CASE("a connection for each write: the commits of every life add up") {
  struct Case {
    double per_second;
    int count;
  };
  const Case cases[] = {{50, Rounds(100, 20000)}, {150, Rounds(300, 20000)}, {0, Rounds(1000, 20000)}};
  for (const Case& c : cases) {
    CAPTURE(c.per_second);
    const TemporaryFolder folder;
    const std::string path = (folder.path() / "a.db").string();
    MakeStore(path);
    WalWatch watch;
    CHECK(Look(watch, path).commits == 0);
    WritePerConnection(path, c.count, c.per_second);
    const WalWatch::Seen seen = Look(watch, path);
    CheckEvidence(seen, static_cast<std::uint64_t>(c.count));
    CHECK(seen.commits > 0);
  }
}

TEST_CASE("processes that end without closing leave the file, and the next one's commits are added") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "a.db").string();
  MakeStore(path);
  WalWatch watch;
  CHECK(Look(watch, path).commits == 0);
  WritePerProcess(path, 200, 50);
  CheckEvidence(Look(watch, path), 200);
  WritePerConnection(path, 50, 100);
  CheckEvidence(Look(watch, path), 250);
}

TEST_CASE("lives of several commits, killed and closed, between looks and across them") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "a.db").string();
  MakeStore(path);
  WalWatch watch;
  CHECK(Look(watch, path).commits == 0);
  std::uint64_t truth = 0;
  for (int round = 0; round < 12; ++round) {
    CAPTURE(round);
    SqliteProcess one(path);
    SqliteProcess two(path);
    for (int i = 0; i <= round % 4; ++i, truth += 2) {
      REQUIRE(one.Exec(kInsert) == SQLITE_OK);
      REQUIRE(two.Exec(kInsert) == SQLITE_OK);
      if (i == 0) CHECK(Look(watch, path).commits == truth + 2);
    }
    if (round % 3 == 0) one.Kill();
    if (round % 6 < 4) two.Kill();
    one.Close();
    two.Close();
    const WalWatch::Seen seen = Look(watch, path);
    CHECK(seen.commits == truth);
    CHECK(seen.missed == 0);
  }
}

TEST_CASE("what was there before the first look does not count, nor what a copied wal-index brings along") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "a.db").string();
  MakeStore(path);
  SqliteProcess writer(path);
  for (int i = 0; i < 20; ++i) REQUIRE(writer.Exec(kInsert) == SQLITE_OK);
  WalWatch watch;
  CHECK(Look(watch, path).commits == 0);
  REQUIRE(writer.Exec(kInsert) == SQLITE_OK);
  CHECK(Look(watch, path).commits == 1);
  WalWatch restarted;
  CHECK(Look(restarted, path).commits == 0);
  REQUIRE(writer.Exec(kInsert) == SQLITE_OK);
  CHECK(Look(restarted, path).commits == 1);
  CHECK(Look(restarted, path).missed == 0);

  fs::create_directory(folder.path() / "saved");
  for (const std::string end : {"", "-wal", "-shm"})
    fs::copy_file(path + end, folder.path() / "saved" / ("a.db" + end));
  writer.Close();
  CHECK(Look(restarted, path).commits == 1);
  for (const std::string end : {"", "-wal", "-shm"})
    fs::copy_file(folder.path() / "saved" / ("a.db" + end), path + end, fs::copy_options::overwrite_existing);
  CHECK(Look(restarted, path).commits == 1);
  SqliteProcess other(path);
  REQUIRE(other.Exec(kInsert) == SQLITE_OK);
  CHECK(Look(restarted, path).commits == 2);
}

TEST_CASE("a growing wal-index is no other life, and a long-lived connection is distinguished") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "a.db").string();
  MakeStore(path);
  SqliteProcess writer(path);
  REQUIRE(writer.Exec("PRAGMA wal_autocheckpoint=0; PRAGMA synchronous=OFF") == SQLITE_OK);
  REQUIRE(writer.Exec(kInsert) == SQLITE_OK);
  WalWatch watch;
  CHECK(Look(watch, path).commits == 0);
  for (std::uint64_t i = 1; i <= 6; ++i) {
    REQUIRE(
        writer.Exec("INSERT INTO t SELECT zeroblob(3000) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
                    "SELECT i+1 FROM n LIMIT 3000) SELECT i FROM n)") == SQLITE_OK);
    const WalWatch::Seen seen = Look(watch, path);
    CHECK(seen.commits == i);
    CHECK(seen.missed == 0);
    CHECK(seen.is_long_lived);
  }
  writer.Close();
  CHECK_FALSE(Look(watch, path).is_long_lived);
  CHECK(Look(watch, path).missed == 0);
}

TEST_CASE("a connection that has its wal-index in memory alone is a missed life, and none beside others") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "a.db").string();
  MakeStore(path);
  WalWatch watch;
  CHECK(Look(watch, path).commits == 0);
  for (std::uint64_t i = 1; i <= 3; ++i) {
    SqliteProcess exclusive(path);
    REQUIRE(exclusive.Exec("PRAGMA locking_mode=EXCLUSIVE") == SQLITE_OK);
    REQUIRE(exclusive.Exec(kInsert) == SQLITE_OK);
    exclusive.Close();
    SqliteProcess other(path);
    REQUIRE(other.Exec(kInsert) == SQLITE_OK);
    CHECK(Look(watch, path).missed == i);
    other.Close();
    const WalWatch::Seen seen = Look(watch, path);
    CHECK(seen.missed == i);
    CHECK(seen.commits == i);
  }
}
