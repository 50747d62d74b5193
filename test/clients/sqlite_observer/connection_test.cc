// What writes without a statement, or ends without one: blobs, backups, checkpoints, closes.
#include <string>

#include <doctest/doctest.h>

#include "test/clients/sqlite_observer/observed_store.h"
#include "test/clients/sqlite_observer/wal_fixture.h"

using outgrown::test::Database;
using outgrown::test::Prepare;
using outgrown::test::WalFixture;

TEST_CASE_FIXTURE(WalFixture, "a connection that is closed inside a transaction has rolled it back") {
  CHECK(a.Run("BEGIN; INSERT INTO t(id) VALUES(2)") == SQLITE_OK);
  std::string counts = "{}";
  SUBCASE("on purpose") {}
  SUBCASE("after a failure") {
    CHECK(a.Run("INSERT INTO t(id) VALUES(1)") == SQLITE_CONSTRAINT_PRIMARYKEY);
    counts = "{constraint: 1}";
  }
  SUBCASE("with a statement left over") {
    sqlite3_stmt* statement = Prepare(a, "SELECT 1");
    CHECK(sqlite3_close(a.handle()) == SQLITE_BUSY);
    sqlite3_finalize(statement);
  }
  a.Close();
  CHECK(Counted() == counts);
  CHECK(store.InFlight() == 0);
}

TEST_CASE_FIXTURE(WalFixture, "what writes without a statement counts its commits and loses no trace") {
  SUBCASE("a blob that is opened") {
    sqlite3_blob* blob = nullptr;
    REQUIRE(sqlite3_blob_open(a.handle(), "main", "t", "bytes", 1, 1, &blob) == SQLITE_OK);
    CHECK(sqlite3_blob_write(blob, "abc", 3, 0) == SQLITE_OK);
    CHECK(Counted() == "{}");
    CHECK(sqlite3_blob_close(blob) == SQLITE_OK);
  }
  SUBCASE("a backup into the store") {
    Database source(":memory:");
    CHECK(source.Run("CREATE TABLE other(x); INSERT INTO other VALUES(randomblob(50000))") == SQLITE_OK);
    sqlite3_backup* backup = sqlite3_backup_init(a.handle(), "main", source.handle(), "main");
    REQUIRE(backup != nullptr);
    CHECK(sqlite3_backup_step(backup, 3) == SQLITE_OK);
    CHECK(sqlite3_backup_step(backup, -1) == SQLITE_DONE);
    CHECK(sqlite3_backup_finish(backup) == SQLITE_OK);
  }
  CHECK(Counted() == "{ok: 1}");
  CHECK(store.TracesLost() == 0);
}

TEST_CASE_FIXTURE(WalFixture, "a backup of the store writes nothing to it") {
  Database target(":memory:");
  sqlite3_backup* backup = sqlite3_backup_init(target.handle(), "main", a.handle(), "main");
  CHECK(sqlite3_backup_step(backup, 1) == SQLITE_OK);
  CHECK(a.Run("INSERT INTO t(id) VALUES(2)") == SQLITE_OK);
  CHECK(sqlite3_backup_step(backup, -1) == SQLITE_DONE);
  CHECK(sqlite3_backup_finish(backup) == SQLITE_OK);
  CHECK(Counted() == "{ok: 1}");
}

TEST_CASE_FIXTURE(WalFixture, "checkpoints and changes of the journal mode") {
  CHECK(a.Run("INSERT INTO t(id) VALUES(2); PRAGMA wal_checkpoint(TRUNCATE); INSERT INTO t(id) VALUES(3)") ==
        SQLITE_OK);
  CHECK(Counted() == "{ok: 2}");
  for (const char* mode : {"delete", "wal", "persist", "wal", "memory", "wal"}) {
    CHECK(a.Ask(std::string("PRAGMA journal_mode = ") + mode) == mode);
    Counted();  // SQLite commits the change of the file's header in some of them
    CHECK(a.Run("UPDATE t SET u = u; UPDATE t SET u = 1 WHERE 0; BEGIN IMMEDIATE; COMMIT") == SQLITE_OK);
    CHECK(Counted() == "{ok: 1}");
  }
}

TEST_CASE_FIXTURE(WalFixture,
                  "what takes the lock and gives it back inside of a transaction opens no write") {
  struct Case {
    const char* mode;
    const char* sql;
  };
  for (const Case& used :
       {Case{"wal", "PRAGMA wal_checkpoint(TRUNCATE)"}, Case{"persist", "PRAGMA journal_mode = memory"}}) {
    const char* const mode = used.mode;
    const char* const sql = used.sql;
    CAPTURE(sql);
    CHECK(a.Ask(std::string("PRAGMA journal_mode = ") + mode) == mode);
    CHECK(a.Run("UPDATE t SET u = u") == SQLITE_OK);
    Counted();
    CHECK(a.Run(std::string("BEGIN; ") + sql) == SQLITE_OK);
    CHECK(store.InFlight() == 0);
    CHECK(a.Run("UPDATE t SET u = u") == SQLITE_OK);
    CHECK(store.InFlight() == 1);
    CHECK(a.Run("COMMIT") == SQLITE_OK);
    CHECK(Counted() == "{ok: 1}");
  }
}
