// An extension that brings its own VFS, which here makes files fail on demand.
#include <cstddef>
#include <cstring>
#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include "test/counterblock/sqlite_observer/observed_store.h"

using outgrown::test::Database;
using outgrown::test::ObservedStore;
using outgrown::test::Text;

namespace {

// What the next calls on any of the VFS's files answer instead of doing it.
struct Faults {
  int write = SQLITE_OK;
  int sync = SQLITE_OK;
};
Faults faults;

// A layer of its own, as quota and checksum VFSes have: a file of its own around the file below.
struct FaultyFile {
  sqlite3_file base;
  sqlite3_file* below() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};
FaultyFile* From(sqlite3_file* file) { return reinterpret_cast<FaultyFile*>(file); }
sqlite3_file* Below(sqlite3_file* file) { return From(file)->below(); }

const sqlite3_io_methods* FaultyMethods() {
  static const sqlite3_io_methods methods = {
      3,
      [](sqlite3_file* f) { return Below(f)->pMethods->xClose(Below(f)); },
      [](sqlite3_file* f, void* b, int n, sqlite3_int64 o) {
        return Below(f)->pMethods->xRead(Below(f), b, n, o);
      },
      [](sqlite3_file* f, const void* b, int n, sqlite3_int64 o) {
        return faults.write != SQLITE_OK ? faults.write : Below(f)->pMethods->xWrite(Below(f), b, n, o);
      },
      [](sqlite3_file* f, sqlite3_int64 n) { return Below(f)->pMethods->xTruncate(Below(f), n); },
      [](sqlite3_file* f, int flags) {
        return faults.sync != SQLITE_OK ? faults.sync : Below(f)->pMethods->xSync(Below(f), flags);
      },
      [](sqlite3_file* f, sqlite3_int64* n) { return Below(f)->pMethods->xFileSize(Below(f), n); },
      [](sqlite3_file* f, int level) { return Below(f)->pMethods->xLock(Below(f), level); },
      [](sqlite3_file* f, int level) { return Below(f)->pMethods->xUnlock(Below(f), level); },
      [](sqlite3_file* f, int* answer) { return Below(f)->pMethods->xCheckReservedLock(Below(f), answer); },
      [](sqlite3_file* f, int op, void* a) { return Below(f)->pMethods->xFileControl(Below(f), op, a); },
      [](sqlite3_file* f) { return Below(f)->pMethods->xSectorSize(Below(f)); },
      [](sqlite3_file* f) { return Below(f)->pMethods->xDeviceCharacteristics(Below(f)); },
      [](sqlite3_file* f, int i, int n, int w, void volatile** p) {
        return Below(f)->pMethods->xShmMap(Below(f), i, n, w, p);
      },
      [](sqlite3_file* f, int o, int n, int flags) {
        return Below(f)->pMethods->xShmLock(Below(f), o, n, flags);
      },
      [](sqlite3_file* f) { Below(f)->pMethods->xShmBarrier(Below(f)); },
      [](sqlite3_file* f, int d) { return Below(f)->pMethods->xShmUnmap(Below(f), d); },
      [](sqlite3_file* f, sqlite3_int64 o, int n, void** p) {
        return Below(f)->pMethods->xFetch(Below(f), o, n, p);
      },
      [](sqlite3_file* f, sqlite3_int64 o, void* p) { return Below(f)->pMethods->xUnfetch(Below(f), o, p); },
  };
  return &methods;
}

sqlite3_vfs* RealVfs() {
  static sqlite3_vfs* real = sqlite3_vfs_find("unix");
  return real;
}

int FaultyOpen(sqlite3_vfs* /*vfs*/, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  file->pMethods = nullptr;
  const int result = RealVfs()->xOpen(RealVfs(), name, Below(file), flags, out_flags);
  if (result == SQLITE_OK) file->pMethods = FaultyMethods();
  return result;
}

// Registered once. Everything but xOpen is the real one's.
void Register(bool as_default) {
  static sqlite3_vfs vfs = [] {
    sqlite3_vfs copy = *RealVfs();
    copy.zName = "faulty";
    copy.pNext = nullptr;
    copy.szOsFile = static_cast<int>(sizeof(FaultyFile)) + RealVfs()->szOsFile;
    copy.xOpen = &FaultyOpen;
    return copy;
  }();
  REQUIRE(sqlite3_vfs_register(&vfs, as_default ? 1 : 0) == SQLITE_OK);
}

struct Fixture {
  Fixture() { Register(false); }
  ~Fixture() {
    faults = {};
    sqlite3_vfs_register(RealVfs(), 1);
  }
  ObservedStore store;

  void Fill(Database& a, const std::string& mode) {
    CHECK(a.Ask("PRAGMA journal_mode = " + mode) == mode);
    REQUIRE(a.Run("CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE); INSERT INTO t VALUES(1, 1)") ==
            SQLITE_OK);
    store.NewCounts();
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a connection that names its VFS is observed") {
  Database a(store.path(), "faulty");
  Fill(a, "wal");
  CHECK(a.Run("INSERT INTO t VALUES(2, 2); UPDATE t SET u = 9 WHERE 0; BEGIN IMMEDIATE; COMMIT") ==
        SQLITE_OK);
  CHECK(Text(store.NewCounts()) == "{ok: 1}");
  CHECK(store.TracesLost() == 0);
}

TEST_CASE_FIXTURE(Fixture, "so is one whose default VFS came after the extension") {
  Register(true);
  Database a(store.path());
  Fill(a, "delete");
  CHECK(a.Run("INSERT INTO t VALUES(2, 2); UPDATE t SET u = 9 WHERE 0; BEGIN IMMEDIATE; COMMIT") ==
        SQLITE_OK);
  CHECK(Text(store.NewCounts()) == "{ok: 1}");
}

TEST_CASE_FIXTURE(Fixture, "SQLite's own other VFSes too") {
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

TEST_CASE_FIXTURE(Fixture, "a disk that is full or fails") {
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

TEST_CASE_FIXTURE(Fixture, "a damaged database") {
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

TEST_CASE_FIXTURE(Fixture, "a database that is no file is nobody's store") {
  for (const char* name : {":memory:", "", "file:/shared?vfs=memdb", "file:x?mode=memory&cache=shared"}) {
    CAPTURE(name);
    Database a(name);
    CHECK(a.Run("CREATE TABLE t(x); INSERT INTO t VALUES(1)") == SQLITE_OK);
    CHECK(a.Ask("SELECT outgrown_status()") == "not counting");
  }
}
