// A connection that can't read the schema compiles no statement, so that the trace says nothing: such failures count too.
#include <cstdint>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include "counterblock/writer.h"
#include "test/clients/sqlite_observer/faulty_vfs.h"
#include "test/clients/sqlite_observer/first_read_fixture.h"
#include "test/clients/sqlite_observer/observed_store.h"

using outgrown::test::Database;
using outgrown::test::faults;
using outgrown::test::ObservedStore;
using outgrown::test::RegisterFaultyVfs;
using outgrown::test::Text;
using outgrown::test::UnregisterFaultyVfs;
using outgrown::test::first_read::Fixture;
using outgrown::test::first_read::kInsert;

namespace {

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

TEST_CASE("a lock counts for a process that has written to that store before: another may only read") {
  ObservedStore store;
  const std::string uncounted = "file:" + store.path() + "?outgrown=off";
  Database holder(uncounted);
  REQUIRE(holder.Run("CREATE TABLE t(id INTEGER PRIMARY KEY, x)") == SQLITE_OK);
  const auto refused = [&] {
    REQUIRE(holder.Run("BEGIN EXCLUSIVE") == SQLITE_OK);
    {
      Database request(store.path());
      CHECK(request.Run("SELECT count(*) FROM t") == SQLITE_BUSY);
      CHECK(request.failed_to_compile());
    }
    REQUIRE(holder.Run("ROLLBACK") == SQLITE_OK);
    return Text(store.NewCounts());
  };
  CHECK(refused() == "{}");
  SUBCASE("it has read") {
    CHECK(Database(store.path()).Ask("SELECT count(*) FROM t") == "0");
    CHECK(refused() == "{}");
  }
  SUBCASE("it has written") {
    CHECK(Database(store.path()).Run(kInsert) == SQLITE_OK);
    CHECK(refused() == "{busy: 1, ok: 1}");
  }
  SUBCASE("it has failed to write") {
    CHECK(Database(store.path()).Run("INSERT INTO t(id) VALUES(1), (1)") == SQLITE_CONSTRAINT_PRIMARYKEY);
    CHECK(refused() == "{busy: 1, constraint: 1}");
  }
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

TEST_CASE_FIXTURE(Locked, "an attempt that comes later does not make the wait longer") {
  const std::uint64_t before_ns = store.DurationSumNs();
  const std::uint64_t start_ns = outgrown::block::NowNs();
  constexpr int kPauseMs = 1100;
  {
    Database request(store.path());
    CHECK(request.Run(kInsert) == SQLITE_BUSY);
    sqlite3_sleep(kPauseMs);
    CHECK(request.Run(kInsert) == SQLITE_BUSY);
  }
  const std::uint64_t elapsed_ns = outgrown::block::NowNs() - start_ns;
  CHECK(Counted() == "{busy: 1}");
  CHECK(store.DurationSumNs() - before_ns <= elapsed_ns - kPauseMs * 1'000'000ULL);
}

TEST_CASE_FIXTURE(Broken, "a connection for each write to a file that can't be read") {
  for (const std::string mode : {"delete", "wal"}) {
    CAPTURE(mode);
    CHECK(Database(store.path()).Ask("PRAGMA journal_mode = " + mode) == mode);
    Counted();
    for (int i = 0; i < 3; ++i) {
      Database request(store.path());
      Break();
      CHECK((request.Run(kInsert) & 0xff) == SQLITE_IOERR);
      CHECK(request.failed_to_compile());
      faults = {};
    }
    CHECK(Counted() == "{io: 3}");
  }
}

TEST_CASE_FIXTURE(Broken, "a connection that tries again and again has failed once until a statement runs") {
  Database database(store.path());
  Break();
  for (int i = 0; i < 3; ++i) CHECK((database.Run(kInsert) & 0xff) == SQLITE_IOERR);
  CHECK(Counted() == "{}");
  CHECK(database.Run("BEGIN; ROLLBACK") == SQLITE_OK);
  CHECK(Counted() == "{io: 1}");
  CHECK((database.Run(kInsert) & 0xff) == SQLITE_IOERR);
  CHECK(database.Run("BEGIN; ROLLBACK") == SQLITE_OK);
  CHECK(Counted() == "{io: 1}");
}

TEST_CASE_FIXTURE(Fixture, "a journal that a read-only file system keeps from being rolled back") {
  ObservedStore crashed;
  {
    Database writer(store.path());
    CHECK(writer.Run("PRAGMA cache_size = 1; BEGIN; UPDATE t SET x = randomblob(100000)") == SQLITE_OK);
    for (const char* suffix : {"", "-journal"}) {
      REQUIRE(std::filesystem::copy_file(store.path() + suffix, crashed.path() + suffix));
    }
  }
  for (int i = 0; i < 2; ++i) {
    Database request("file:" + crashed.path() + "?mode=ro");
    CHECK(request.Run(kInsert) == SQLITE_READONLY_ROLLBACK);
    CHECK(request.failed_to_compile());
  }
  CHECK(Text(crashed.NewCounts()) == "{other: 2}");
}

TEST_CASE_FIXTURE(Fixture,
                  "a connection that read the schema before it is observed waits for another's write") {
  Database used("file:" + store.path() + "?outgrown=off");
  CHECK(used.Ask("SELECT count(*) FROM t") == "1");
  const std::string name = std::filesystem::path(store.path()).stem().string();
  CHECK(used.Ask("SELECT outgrown_observe('" + name + "')") == "counting main as " + name);
  Database holder(store.path());
  CHECK(holder.Run("BEGIN IMMEDIATE") == SQLITE_OK);
  // SQLite asks for the lock to read each time as well.
  sqlite3_busy_handler(
      used.handle(), [](void*, int count) { return count < 3 ? 1 : 0; }, nullptr);
  CHECK(used.Run(kInsert) == SQLITE_BUSY);
  CHECK(Counted() == "{busy: 1}");
}

TEST_CASE_FIXTURE(Fixture, "so does one that read it with the lock held") {
  Database used(store.path());
  CHECK(used.Run(std::string("BEGIN IMMEDIATE;") + kInsert + "; COMMIT") == SQLITE_OK);
  Database holder(store.path());
  CHECK(holder.Run("BEGIN IMMEDIATE") == SQLITE_OK);
  sqlite3_busy_handler(
      used.handle(), [](void*, int count) { return count < 3 ? 1 : 0; }, nullptr);
  CHECK(used.Run(kInsert) == SQLITE_BUSY);
  CHECK(Counted() == "{busy: 1, ok: 1}");
}

TEST_CASE_FIXTURE(Fixture, "what stops the reading of the schema is no failure of the store") {
  for (const std::string mode : {"delete", "wal"}) {
    CAPTURE(mode);
    CHECK(Database(store.path()).Ask("PRAGMA journal_mode = " + mode) == mode);
    Counted();
    for (const bool runs_another : {true, false}) {
      Database request(store.path());
      sqlite3_progress_handler(
          request.handle(), 1, [](void*) { return 1; }, nullptr);
      CHECK(request.Run(kInsert) == SQLITE_INTERRUPT);
      CHECK(request.failed_to_compile());
      sqlite3_progress_handler(request.handle(), 0, nullptr, nullptr);
      if (runs_another) CHECK(request.Run("BEGIN; ROLLBACK") == SQLITE_OK);
    }
    CHECK(Counted() == "{}");
  }
}

TEST_CASE_FIXTURE(Fixture, "what reads without a statement of its own is no failure") {
  Database request(store.path());
  std::string expected = "{}";
  SUBCASE("a statement that is wrong") {
    CHECK(request.Run("INSERT INTO nowhere VALUES(1)") == SQLITE_ERROR);
    CHECK(request.Run("INSERT INTO nowhere VALUES(1)") == SQLITE_ERROR);
  }
  SUBCASE("a journal mode that is asked for") { CHECK(request.Ask("PRAGMA journal_mode") == "delete"); }
  SUBCASE("a backup, page by page") {
    Database copy(store.path() + ".copy?outgrown=off");
    sqlite3_backup* backup = sqlite3_backup_init(copy.handle(), "main", request.handle(), "main");
    while (sqlite3_backup_step(backup, 1) == SQLITE_OK) {
    }
    CHECK(sqlite3_backup_finish(backup) == SQLITE_OK);
  }
  SUBCASE("a backup that takes the place of what was read for a wrong statement") {
    CHECK(request.Run("INSERT INTO nowhere VALUES(1)") == SQLITE_ERROR);
    Database source(":memory:");
    CHECK(source.Run("CREATE TABLE t(x)") == SQLITE_OK);
    sqlite3_backup* backup = sqlite3_backup_init(request.handle(), "main", source.handle(), "main");
    CHECK(sqlite3_backup_step(backup, -1) == SQLITE_DONE);
    CHECK(sqlite3_backup_finish(backup) == SQLITE_OK);
    expected = "{ok: 1}";
  }
  SUBCASE("a statement that forgets the schema") {
    CHECK(request.Run("VACUUM") == SQLITE_OK);
    expected = "{ok: 1}";
  }
  SUBCASE("an incremental blob") {
    sqlite3_blob* blob = nullptr;
    CHECK(sqlite3_blob_open(request.handle(), "main", "t", "x", 1, 0, &blob) == SQLITE_ERROR);  // an integer
  }
  SUBCASE("nothing") {}
  CHECK(request.Run("BEGIN; ROLLBACK") == SQLITE_OK);
  CHECK(Counted() == expected);
  request.Close();
  CHECK(Counted() == "{}");
}

TEST_CASE("an empty database") {
  ObservedStore store;
  {
    Database database(store.path());
    for (int i = 0; i < 2; ++i) CHECK(database.Run("SELECT * FROM nowhere") == SQLITE_ERROR);
    CHECK(database.Run("BEGIN; ROLLBACK") == SQLITE_OK);
    CHECK(Text(store.NewCounts()) == "{}");
  }
  {
    Database database(store.path());
    CHECK(database.Run("BEGIN; CREATE TABLE t(x); COMMIT") == SQLITE_OK);
  }
  CHECK(Text(store.NewCounts()) == "{ok: 1}");
}

TEST_CASE_FIXTURE(Locked, "statements of several kinds that a lock keeps from being compiled") {
  for (const std::string first : {kInsert, "INSERT INTO t(x) VALUES(1) RETURNING id"}) {
    for (const std::string second : {kInsert, "INSERT INTO t(x) VALUES(1) RETURNING id"}) {
      CAPTURE(first);
      CAPTURE(second);
      Database request(store.path());
      CHECK(request.Run(first) == SQLITE_BUSY);
      CHECK(request.Run(second) == SQLITE_BUSY);
      CHECK(request.failed_to_compile());
      request.Close();
      CHECK(Counted() == "{busy: 1}");
    }
  }
}
