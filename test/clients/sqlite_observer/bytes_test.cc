// The bytes that are counted are those of the pages that committed transactions have written: held against SQLite's own
// number of them, the write-ahead log's length, and what has changed in the database file.
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include "test/clients/sqlite_observer/observed_store.h"

using outgrown::test::Database;
using outgrown::test::ObservedStore;

namespace {

constexpr std::uint64_t kPageBytes = 1024;

struct PagesFixture {
  ObservedStore store;
  int file = ::open(store.path().c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
  Database a{store.path()};
  std::uint64_t bytes_before = 0;
  std::string file_before;
  std::uint64_t frames_before = 0;

  ~PagesFixture() {
    a.Close();
    ::close(file);
  }

  void Create(const std::string& journal_mode) {
    REQUIRE(
        a.Run("PRAGMA page_size = 1024; PRAGMA synchronous = OFF; PRAGMA journal_mode = " + journal_mode +
              "; CREATE TABLE t(id INTEGER PRIMARY KEY, x UNIQUE, bytes); PRAGMA wal_autocheckpoint = 0") ==
        SQLITE_OK);
    Look();
  }
  void Look() {
    bytes_before = store.Bytes();
    file_before = File();
    frames_before = Frames();
    SqlitesPages();
  }
  // https://sqlite.org/c3ref/c_dbstatus_options.html: "the number of pages written to the wal file in wal mode databases,
  // or the number of pages written to the database file in rollback mode databases". Since the last call.
  int SqlitesPages() {
    int now = 0;
    int highest = 0;
    CHECK(sqlite3_db_status(a.handle(), SQLITE_DBSTATUS_CACHE_WRITE, &now, &highest, 1) == SQLITE_OK);
    return now;
  }
  // Since Look.
  std::uint64_t Pages() const {
    const std::uint64_t bytes = store.Bytes() - bytes_before;
    CHECK(bytes % kPageBytes == 0);
    return bytes / kPageBytes;
  }

  // Not opened anew each time, as to close the database file would drop SQLite's locks.
  std::string File() const {
    std::string text(std::filesystem::file_size(store.path()), '\0');
    REQUIRE(::pread(file, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
    return text;
  }
  // Pages of the file that are new or not as they were when it was looked at.
  std::uint64_t PagesThatDiffer() const {
    const std::string now = File();
    std::uint64_t pages = 0;
    for (std::size_t at = 0; at < now.size(); at += kPageBytes)
      pages += at >= file_before.size() || now.compare(at, kPageBytes, file_before, at, kPageBytes) != 0;
    return pages;
  }
  // https://sqlite.org/fileformat2.html#the_write_ahead_log: a header of 32 bytes, then frames with one of 24 each. As long
  // as there was no checkpoint, all of them.
  std::uint64_t Frames() const {
    std::error_code missing;
    const std::uintmax_t size = std::filesystem::file_size(store.path() + "-wal", missing);
    return missing || size == 0 ? 0 : (size - 32) / (24 + kPageBytes);
  }
  std::uint64_t NewFrames() const { return Frames() - frames_before; }
};

constexpr char kInsert[] =
    "INSERT INTO t(x, bytes) SELECT hex(randomblob(30)), randomblob(2500) FROM (VALUES(1), (2), (3))";

}  // namespace

TEST_CASE_FIXTURE(PagesFixture, "in WAL mode they are the pages of the log's frames") {
  Create("WAL");
  for (int i = 0; i < 20; ++i) {
    CHECK(a.Run(kInsert) == SQLITE_OK);
    CHECK(Pages() == NewFrames());
  }
  CHECK(NewFrames() > 150);
  CHECK(Pages() == static_cast<std::uint64_t>(SqlitesPages()));
  SUBCASE("also of those that are spilled before the commit") {
    CHECK(a.Run(std::string("PRAGMA cache_size = 1; BEGIN; ") + kInsert + "; " + kInsert) == SQLITE_OK);
    Look();
    CHECK(a.Run("COMMIT") == SQLITE_OK);
    CHECK(Pages() > NewFrames());
  }
  SUBCASE("and not those of a transaction that is rolled back") {
    CHECK(a.Run(std::string("PRAGMA cache_size = 1; BEGIN; ") + kInsert + "; " + kInsert + "; ROLLBACK") ==
          SQLITE_OK);
    Look();
    CHECK(a.Run("INSERT INTO t(x) VALUES('one')") == SQLITE_OK);
    CHECK(Pages() >= 2);
    CHECK(Pages() <= 4);
  }
  SUBCASE("and not those of a checkpoint") {
    Look();
    CHECK(a.Run("PRAGMA wal_checkpoint(TRUNCATE)") == SQLITE_OK);
    CHECK(PagesThatDiffer() > 100);
    CHECK(Pages() == 0);
    CHECK(a.Run("PRAGMA user_version = 7") == SQLITE_OK);
    CHECK(Pages() == 1);
  }
  SUBCASE("nor with the file locked for good") {
    CHECK(a.Run("PRAGMA locking_mode = EXCLUSIVE; PRAGMA user_version = 7") == SQLITE_OK);
    Look();
    CHECK(a.Run("PRAGMA wal_checkpoint; PRAGMA user_version = 8") == SQLITE_OK);
    CHECK(Pages() == 1);
    CHECK(a.Run(kInsert) == SQLITE_OK);
    Look();
    CHECK(a.Run("PRAGMA journal_mode = DELETE") == SQLITE_OK);
    CHECK(PagesThatDiffer() > 1);
    CHECK(Pages() == 1);
  }
  SUBCASE("nor of the one that ends the log") {
    Look();
    CHECK(a.Run("PRAGMA journal_mode = DELETE") == SQLITE_OK);
    CHECK(PagesThatDiffer() > 100);
    CHECK(Pages() == 1);
  }
  SUBCASE("a failed write has written nothing") {
    Look();
    CHECK(a.Run("INSERT INTO t(id) VALUES(1)") == SQLITE_CONSTRAINT_PRIMARYKEY);
    CHECK(Pages() == 0);
  }
}

TEST_CASE_FIXTURE(PagesFixture,
                  "in a rollback journal's mode they are the pages that are written to the file") {
  for (const char* mode : {"DELETE", "TRUNCATE", "PERSIST", "MEMORY", "OFF"}) {
    INFO(mode);
    Database again(store.path());
    Create(mode);
    for (int i = 0; i < 20; ++i) {
      Look();
      CHECK(a.Run(kInsert) == SQLITE_OK);
      CHECK(Pages() == static_cast<std::uint64_t>(SqlitesPages()));
      // SQLite may write one that is as it was.
      CHECK(Pages() >= PagesThatDiffer());
      CHECK(PagesThatDiffer() > 8);
    }
    if (std::string(mode) != "OFF") {
      CHECK(a.Run(std::string("PRAGMA cache_size = 1; BEGIN; ") + kInsert + "; " + kInsert + "; ROLLBACK") ==
            SQLITE_OK);
      Look();
      CHECK(a.Run("PRAGMA user_version = 8") == SQLITE_OK);
      CHECK(Pages() == 1);
    }
    CHECK(a.Run("DROP TABLE t; PRAGMA cache_size = 2000") == SQLITE_OK);
  }
}
