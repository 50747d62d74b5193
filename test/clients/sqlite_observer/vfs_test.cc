// An extension that brings its own VFS, which here makes files fail on demand.
#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include "test/clients/sqlite_observer/faulty_vfs.h"
#include "test/clients/sqlite_observer/observed_store.h"

using outgrown::test::Database;
using outgrown::test::Faults;
using outgrown::test::faults;
using outgrown::test::ObservedStore;
using outgrown::test::RegisterFaultyVfs;
using outgrown::test::Text;
using outgrown::test::UnregisterFaultyVfs;

namespace {

struct VfsFixture {
  VfsFixture() { RegisterFaultyVfs(false); }
  ~VfsFixture() { UnregisterFaultyVfs(); }
  ObservedStore store;

  void Fill(Database& a, const std::string& mode) {
    CHECK(a.Ask("PRAGMA journal_mode = " + mode) == mode);
    REQUIRE(a.Run("CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE); INSERT INTO t VALUES(1, 1)") ==
            SQLITE_OK);
    store.NewCounts();
  }
};

}  // namespace

TEST_CASE_FIXTURE(VfsFixture, "a connection that names its VFS is observed") {
  Database a(store.path(), "faulty");
  Fill(a, "wal");
  CHECK(a.Run("INSERT INTO t VALUES(2, 2); UPDATE t SET u = 9 WHERE 0; BEGIN IMMEDIATE; COMMIT") ==
        SQLITE_OK);
  CHECK(Text(store.NewCounts()) == "{ok: 1}");
  CHECK(store.TracesLost() == 0);
}

TEST_CASE_FIXTURE(VfsFixture, "so is one whose default VFS came after the extension") {
  RegisterFaultyVfs(true);
  Database a(store.path());
  Fill(a, "delete");
  CHECK(a.Run("INSERT INTO t VALUES(2, 2); UPDATE t SET u = 9 WHERE 0; BEGIN IMMEDIATE; COMMIT") ==
        SQLITE_OK);
  CHECK(Text(store.NewCounts()) == "{ok: 1}");
}

TEST_CASE_FIXTURE(VfsFixture, "a VFS of the first version, which knows no shared memory") {
  RegisterFaultyVfs(false, 1);
  for (const bool exclusive : {false, true}) {
    CAPTURE(exclusive);
    ObservedStore another;
    Database a(another.path(), "faulty");
    if (exclusive) {
      CHECK(a.Ask("PRAGMA locking_mode = EXCLUSIVE") == "exclusive");
      CHECK(a.Ask("PRAGMA journal_mode = WAL") == "wal");  // its index is on the heap
    } else {
      CHECK(a.Ask("PRAGMA journal_mode = WAL") == "delete");
    }
    another.NewCounts();  // the change of the journal mode may have been a commit
    CHECK(
        a.Run(
            "CREATE TABLE t(id INTEGER PRIMARY KEY); INSERT INTO t VALUES(1); UPDATE t SET id = 2 WHERE 0") ==
        SQLITE_OK);
    CHECK(a.Run("INSERT INTO t VALUES(1)") == SQLITE_CONSTRAINT_PRIMARYKEY);
    CHECK(Text(another.NewCounts()) == "{constraint: 1, ok: 2}");
  }
}

TEST_CASE_FIXTURE(VfsFixture, "SQLite's own other VFSes too") {
  for (const char* vfs : {"unix-excl", "unix-dotfile", "unix-none"}) {
    CAPTURE(vfs);
    ObservedStore another;
    Database a(another.path(), vfs);
    CHECK(a.Run("CREATE TABLE t(id INTEGER PRIMARY KEY); INSERT INTO t VALUES(1); BEGIN IMMEDIATE; COMMIT") ==
          SQLITE_OK);
    CHECK(a.Run("INSERT INTO t VALUES(1)") == SQLITE_CONSTRAINT_PRIMARYKEY);
    CHECK(Text(another.NewCounts()) == "{constraint: 1, ok: 2}");
  }
}

TEST_CASE_FIXTURE(VfsFixture, "a disk that is full or fails") {
  struct Case {
    Faults faults;
    const char* mode;
    const char* counts;
  };
  const Case cases[] = {
      {{SQLITE_FULL, SQLITE_OK}, "wal", "{full: 1}"},
      {{SQLITE_FULL, SQLITE_OK}, "delete", "{full: 1}"},
      {{SQLITE_IOERR_WRITE, SQLITE_OK}, "wal", "{io: 1}"},
      {{SQLITE_IOERR_WRITE, SQLITE_OK}, "truncate", "{io: 1}"},
      {{SQLITE_OK, SQLITE_IOERR_FSYNC}, "delete", "{io: 1}"},
      {{SQLITE_OK, SQLITE_IOERR_FSYNC}, "wal", "{io: 1}"},
  };
  for (const Case& c : cases) {
    for (const char* sql : {"INSERT INTO t VALUES(2, 2)", "BEGIN; INSERT INTO t VALUES(2, 2); COMMIT",
                            "BEGIN IMMEDIATE; INSERT INTO t VALUES(2, 2); COMMIT"}) {
      CAPTURE(c.mode);
      CAPTURE(c.counts);
      CAPTURE(sql);
      ObservedStore another;
      Database a(another.path(), "faulty");
      CHECK(a.Ask(std::string("PRAGMA journal_mode = ") + c.mode) == c.mode);
      CHECK(a.Run("PRAGMA synchronous = FULL; CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE)") ==
            SQLITE_OK);
      another.NewCounts();
      faults = c.faults;
      CHECK(a.Run(sql) != SQLITE_OK);
      a.Run("ROLLBACK");
      faults = {};
      CHECK(Text(another.NewCounts()) == c.counts);
      CHECK(a.Run("UPDATE t SET u = 9 WHERE 0; BEGIN IMMEDIATE; COMMIT; INSERT INTO t VALUES(3, 3)") ==
            SQLITE_OK);
      CHECK(Text(another.NewCounts()) == "{ok: 1}");
      CHECK(another.InFlight() == 0);
    }
  }
}

TEST_CASE_FIXTURE(VfsFixture, "a damaged database") {
  {
    Database a(store.path());
    Fill(a, "delete");
  }
  {
    std::fstream file(store.path(), std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(4096);
    file << std::string(4096, '\xee');  // the table's root page
  }
  Database a(store.path());
  store.NewCounts();
  CHECK((a.Run("INSERT INTO t VALUES(2, 2)") & 0xff) == SQLITE_CORRUPT);
  CHECK(a.Run("BEGIN") == SQLITE_OK);
  CHECK((a.Run("INSERT INTO t VALUES(2, 2)") & 0xff) == SQLITE_CORRUPT);
  CHECK(a.Run("ROLLBACK") == SQLITE_OK);
  CHECK(Text(store.NewCounts()) == "{corrupt: 2}");
}

TEST_CASE_FIXTURE(VfsFixture, "a database that is no file is nobody's store") {
  for (const char* name : {":memory:", "", "file:/shared?vfs=memdb", "file:x?mode=memory&cache=shared"}) {
    CAPTURE(name);
    Database a(name);
    CHECK(a.Run("CREATE TABLE t(x); INSERT INTO t VALUES(1)") == SQLITE_OK);
    CHECK(a.Ask("SELECT outgrown_status()") == "not counting");
  }
}
