// Somebody else takes the connection's trace: commits go on being counted, and the loss shows.
#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include "test/clients/sqlite_observer/observed_store.h"
#include "test/clients/sqlite_observer/wal_fixture.h"

using outgrown::test::Database;
using outgrown::test::ObservedStore;
using outgrown::test::Prepare;
using outgrown::test::SomebodysTrace;
using outgrown::test::Text;
using outgrown::test::WalFixture;

namespace {

// Takes the trace in a way that the observer can't chain to: the callback of the deprecated sqlite3_profile() isn't in the
// slot.
void TakeForGood(Database& database, int& calls) {
  const auto ignore = [](void*, const char*, sqlite3_uint64) {};
  REQUIRE(sqlite3_trace_v2(database.handle(), SQLITE_TRACE_STMT, &SomebodysTrace, &calls) == SQLITE_OK);
  sqlite3_profile(database.handle(), ignore, nullptr);
}

}  // namespace

TEST_CASE_FIXTURE(WalFixture,
                  "when somebody takes the trace, commits still count and the loss shows beyond the close") {
  int calls = 0;
  TakeForGood(a, calls);
  CHECK(a.Run("SELECT * FROM t; BEGIN; SELECT * FROM t; COMMIT") == SQLITE_OK);
  CHECK(store.TracesLost() == 0);  // nothing went uncounted yet
  CHECK_FALSE(store.WasTraceEverLost());
  SUBCASE("a statement of its own") { CHECK(a.Run("INSERT INTO t(id) VALUES(2)") == SQLITE_OK); }
  SUBCASE("a transaction") { CHECK(a.Run("BEGIN; INSERT INTO t(id) VALUES(2); COMMIT") == SQLITE_OK); }
  SUBCASE("one that is locked first") {
    CHECK(a.Run("BEGIN IMMEDIATE; INSERT INTO t(id) VALUES(2); COMMIT") == SQLITE_OK);
  }
  CHECK(store.TracesLost() == 1);
  CHECK(Counted() == "{ok: 1}");
  CHECK(calls > 0);
  CHECK(a.Ask("SELECT outgrown_status()").find("the trace is lost") != std::string::npos);
  CHECK(a.Run("UPDATE t SET u = 5 WHERE 0; BEGIN IMMEDIATE; COMMIT") == SQLITE_OK);
  CHECK(Counted() == "{}");
  a.Close();
  CHECK(store.TracesLost() == 0);
  CHECK(store.WasTraceEverLost());  // a connection for each request lives shorter than a scrape takes to come
}

TEST_CASE_FIXTURE(WalFixture, "a connection for one refused write leaves its lost trace to be seen") {
  CHECK(a.Run("BEGIN IMMEDIATE") == SQLITE_OK);
  {
    Database request(store.path());
    int calls = 0;
    TakeForGood(request, calls);
    CHECK(request.Run("INSERT INTO t(id) VALUES(9)") == SQLITE_BUSY);
  }
  CHECK(a.Run("ROLLBACK") == SQLITE_OK);
  CHECK(store.TracesLost() == 0);
  CHECK(store.WasTraceEverLost());
}

TEST_CASE_FIXTURE(WalFixture,
                  "a connection for one refused write in rollback mode leaves its lost trace to be seen") {
  CHECK(a.Run("PRAGMA journal_mode = DELETE") == SQLITE_OK);
  store.NewCounts();
  {
    Database request(store.path());
    CHECK(request.Ask("SELECT count(*) FROM t") == "1");  // the schema is known when the lock is refused
    CHECK(a.Run("BEGIN EXCLUSIVE") == SQLITE_OK);
    int calls = 0;
    TakeForGood(request, calls);
    CHECK(request.Run("SELECT * FROM t") == SQLITE_BUSY);
    CHECK(store.TracesLost() == 0);  // a read that is refused is not counted anyway
    CHECK(request.Run("INSERT INTO t(id) VALUES(9)") == SQLITE_BUSY);
    CHECK(store.TracesLost() == 1);
  }
  CHECK(a.Run("ROLLBACK") == SQLITE_OK);
  CHECK(store.TracesLost() == 0);
  CHECK(store.WasTraceEverLost());
}

TEST_CASE_FIXTURE(WalFixture, "a refused read lock is no loss while the trace is there") {
  CHECK(a.Run("PRAGMA journal_mode = DELETE") == SQLITE_OK);
  Database request(store.path());
  CHECK(request.Ask("SELECT count(*) FROM t") == "1");
  store.NewCounts();
  CHECK(a.Run("BEGIN EXCLUSIVE") == SQLITE_OK);
  CHECK(request.Run("SELECT * FROM t") == SQLITE_BUSY);
  CHECK(request.Run("INSERT INTO t(id) VALUES(9)") == SQLITE_BUSY);
  CHECK(request.Run("BEGIN IMMEDIATE") == SQLITE_BUSY);
  sqlite3_stmt* statement = nullptr;
  Database cold(store.path());
  CHECK(sqlite3_prepare_v2(cold.handle(), "INSERT INTO t(id) VALUES(9)", -1, &statement, nullptr) ==
        SQLITE_BUSY);
  CHECK(Counted() == "{busy: 2}");
  CHECK_FALSE(store.WasTraceEverLost());
  CHECK(a.Run("ROLLBACK") == SQLITE_OK);
}

TEST_CASE_FIXTURE(WalFixture,
                  "a trace that is lost inside a transaction leaves no mark behind and its commit counts") {
  CHECK(a.Run("BEGIN; INSERT INTO t(id) VALUES(2)") == SQLITE_OK);
  CHECK(store.InFlight() == 1);
  int calls = 0;
  TakeForGood(a, calls);
  CHECK(a.Run("COMMIT") == SQLITE_OK);
  CHECK(Counted() == "{ok: 1}");
  CHECK(store.InFlight() == 0);
  CHECK(store.TracesLost() == 1);
}

TEST_CASE_FIXTURE(WalFixture, "a trace that is lost while a statement is suspended shows at the next write") {
  sqlite3_stmt* statement = Prepare(a, "INSERT INTO t(id) VALUES(2), (3) RETURNING id");
  CHECK(sqlite3_step(statement) == SQLITE_ROW);
  int calls = 0;
  TakeForGood(a, calls);
  sqlite3_finalize(statement);
  CHECK(Counted() == "{ok: 1}");
  CHECK(a.Run("INSERT INTO t(id) VALUES(4)") == SQLITE_OK);
  CHECK(Counted() == "{ok: 1}");
  CHECK(store.TracesLost() == 1);
}

TEST_CASE_FIXTURE(WalFixture, "the trace is taken back when it can be") {
  int calls = 0;
  TakeForGood(a, calls);
  CHECK(a.Run("INSERT INTO t(id) VALUES(2)") == SQLITE_OK);
  CHECK(store.TracesLost() == 1);
  sqlite3_profile(a.handle(), nullptr, nullptr);
  CHECK(a.Run("SELECT * FROM t") == SQLITE_OK);
  CHECK(a.Ask("SELECT outgrown_status()").find("the trace is lost") == std::string::npos);
  CHECK(store.TracesLost() == 0);
  Counted();
  calls = 0;
  CHECK(a.Run("INSERT INTO t(id) VALUES(2)") == SQLITE_CONSTRAINT_PRIMARYKEY);
  CHECK(Counted() == "{constraint: 1}");
  CHECK(calls == 1);
}

TEST_CASE_FIXTURE(
    WalFixture, "a database that is ignored leaves its open write and its lost trace to whoever counts it") {
  ObservedStore other;
  CHECK(a.Run("ATTACH '" + other.path() + "' AS other; CREATE TABLE other.x(y)") == SQLITE_OK);
  other.NewCounts();
  int calls = 0;
  TakeForGood(a, calls);
  CHECK(a.Run("BEGIN; INSERT INTO t(id) VALUES(3); INSERT INTO x VALUES(1)") == SQLITE_OK);
  CHECK(store.TracesLost() == 1);
  CHECK(a.Ask("SELECT outgrown_ignore('main')") == "1");
  CHECK(store.TracesLost() == 0);
  CHECK(other.TracesLost() == 1);
  CHECK(a.Run("COMMIT; INSERT INTO t(id) VALUES(4)") == SQLITE_OK);
  CHECK(Counted() == "{}");
  CHECK(Text(other.NewCounts()) == "{ok: 1}");
  CHECK(store.InFlight() == 0);
}

TEST_CASE_FIXTURE(
    WalFixture, "a connection to a shared cache that nobody observes is a lost trace until the cache goes") {
  const std::string name = std::filesystem::path(store.path()).stem().string();
  const std::string shared = "file:" + store.path() + "?cache=shared";
  {
    Database unobserved(shared + "&outgrown=off");
    Database observed(shared);
    CHECK(observed.Ask("SELECT outgrown_observe('" + name + "')") == "counting main as " + name);
    Database joined(shared);
    CHECK(joined.Ask("SELECT outgrown_status()") == "counting main as " + name);
    CHECK(joined.Run("INSERT INTO t(id) VALUES(2)") == SQLITE_OK);
    CHECK(observed.Run("INSERT INTO t(id) VALUES(2)") == SQLITE_CONSTRAINT_PRIMARYKEY);
    CHECK(Counted() == "{constraint: 1, ok: 1}");
    CHECK_FALSE(store.WasTraceEverLost());
    CHECK(unobserved.Run("INSERT INTO t(id) VALUES(3)") == SQLITE_OK);
    CHECK(unobserved.Run("INSERT INTO t(id) VALUES(3)") == SQLITE_CONSTRAINT_PRIMARYKEY);
    CHECK(Counted() == "{ok: 1}");
    CHECK(store.TracesLost() == 1);
  }
  CHECK(store.TracesLost() == 0);
  CHECK(store.WasTraceEverLost());
}
