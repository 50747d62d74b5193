// A connection that can't read the schema compiles no statement, so that the trace says nothing: such failures count too.
#include <cstdint>
#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include "test/clients/sqlite_observer/faulty_vfs.h"
#include "test/clients/sqlite_observer/observed_store.h"

using outgrown::test::Database;
using outgrown::test::faults;
using outgrown::test::ObservedStore;
using outgrown::test::RegisterFaultyVfs;
using outgrown::test::Text;
using outgrown::test::UnregisterFaultyVfs;

namespace {

constexpr const char* kInsert = "INSERT INTO t(x) VALUES(1)";

struct Fixture {
  Fixture() {
    Database database(store.path());
    REQUIRE(database.Run("CREATE TABLE t(id INTEGER PRIMARY KEY, x); INSERT INTO t(x) VALUES(1)") ==
            SQLITE_OK);
    database.Close();
    store.NewCounts();
  }
  std::string Counted() { return Text(store.NewCounts()); }
  ObservedStore store;
};

// SQLite's shared lock is refused to every other connection.
struct Locked : Fixture {
  Locked() { REQUIRE(holder.Run("BEGIN EXCLUSIVE") == SQLITE_OK); }
  Database holder{store.path()};
};

// Nothing can be read from any file.
struct Broken : Fixture {
  Broken() { RegisterFaultyVfs(true); }
  ~Broken() {
    faults = {};
    UnregisterFaultyVfs();
  }
  static void Break() { faults = {.calls_until_fault = 1, .lasting = true}; }
};

}  // namespace

TEST_CASE_FIXTURE(Locked, "a connection for a write that a lock keeps from being compiled") {
  {
    Database request(store.path());
    CHECK(request.Run(kInsert) == SQLITE_BUSY);
    CHECK(request.failed_to_compile());
    SUBCASE("and that ends") { CHECK(Counted() == "{}"); }
    SUBCASE("and rolls back its transaction") {
      CHECK(request.Run("BEGIN; ROLLBACK") == SQLITE_OK);
      CHECK(Counted() == "{busy: 1}");
      CHECK(request.Run(kInsert) == SQLITE_BUSY);
    }
    SUBCASE("and tries again: one failure, since the busy handler tries again as well") {
      CHECK(request.Run(kInsert) == SQLITE_BUSY);
      CHECK(Counted() == "{}");
    }
  }
  CHECK(Counted() == "{busy: 1}");
}

TEST_CASE_FIXTURE(Locked, "the wait for the lock is what the failure lasted") {
  const std::uint64_t before_ns = store.DurationSumNs();
  {
    Database request(store.path());
    sqlite3_busy_handler(
        request.handle(), [](void*, int count) { return count < 3 ? (sqlite3_sleep(10), 1) : 0; }, nullptr);
    CHECK(request.Run(kInsert) == SQLITE_BUSY);
  }
  CHECK(Counted() == "{busy: 1}");
  CHECK(store.DurationSumNs() - before_ns >= 30'000'000U);
}

TEST_CASE_FIXTURE(Locked, "a connection that gets the lock in the end has not failed") {
  {
    Database request(store.path());
    CHECK(request.Run(kInsert) == SQLITE_BUSY);
    CHECK(holder.Run("ROLLBACK") == SQLITE_OK);
    CHECK(request.Run(kInsert) == SQLITE_OK);
  }
  CHECK(Counted() == "{ok: 1}");
}

TEST_CASE_FIXTURE(Broken, "a connection for each write to a file that can't be read") {
  for (int i = 0; i < 3; ++i) {
    Database request(store.path());
    Break();
    CHECK((request.Run(kInsert) & 0xff) == SQLITE_IOERR);
    CHECK(request.failed_to_compile());
    faults = {};
  }
  CHECK(Counted() == "{io: 3}");
}

TEST_CASE_FIXTURE(Broken, "a connection that tries again and again") {
  Database database(store.path());
  Break();
  for (int i = 0; i < 3; ++i) CHECK((database.Run(kInsert) & 0xff) == SQLITE_IOERR);
  CHECK(Counted() == "{io: 2}");  // the third is known to have failed when the next thing happens
  CHECK(database.Run("BEGIN; ROLLBACK") == SQLITE_OK);
  CHECK(Counted() == "{io: 1}");
}

TEST_CASE_FIXTURE(Fixture, "a schema that is damaged") {
  {
    std::fstream file(store.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(100);
    file << std::string(60, '\7');
  }
  {
    Database request(store.path());
    CHECK(request.Run(kInsert) == SQLITE_CORRUPT);
  }
  CHECK(Counted() == "{corrupt: 1}");
}

TEST_CASE_FIXTURE(Fixture, "what reads without a statement of its own is no failure") {
  {
    Database request(store.path());
    SUBCASE("a statement that is wrong") {
      CHECK(request.Run("INSERT INTO nowhere VALUES(1)") == SQLITE_ERROR);
      CHECK(request.Run("BEGIN; ROLLBACK") == SQLITE_OK);
    }
    SUBCASE("a journal mode that is asked for") {
      CHECK(request.Ask("PRAGMA journal_mode") == "delete");
      CHECK(request.Run("BEGIN; ROLLBACK") == SQLITE_OK);
    }
    SUBCASE("a backup, page by page") {
      Database copy(store.path() + ".copy?outgrown=off");
      sqlite3_backup* backup = sqlite3_backup_init(copy.handle(), "main", request.handle(), "main");
      while (sqlite3_backup_step(backup, 1) == SQLITE_OK) {
      }
      CHECK(sqlite3_backup_finish(backup) == SQLITE_OK);
    }
    SUBCASE("a statement that forgets the schema") {
      CHECK(request.Run("VACUUM") == SQLITE_OK);
      CHECK(Counted() == "{ok: 1}");
      CHECK(request.Run("BEGIN; ROLLBACK") == SQLITE_OK);
    }
    SUBCASE("an incremental blob") {
      sqlite3_blob* blob = nullptr;
      CHECK(sqlite3_blob_open(request.handle(), "main", "t", "x", 1, 0, &blob) ==
            SQLITE_ERROR);  // an integer
    }
    SUBCASE("nothing") {}
  }
  CHECK(Counted() == "{}");
}

TEST_CASE("the first table of an empty database") {
  ObservedStore store;
  {
    Database database(store.path());
    CHECK(database.Run("BEGIN; CREATE TABLE t(x); COMMIT") == SQLITE_OK);
  }
  CHECK(Text(store.NewCounts()) == "{ok: 1}");
}
