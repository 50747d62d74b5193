// Statements that are stepped by hand, suspended, compiled again, interrupted, kept waiting.
#include <cstdint>
#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include "test/clients/sqlite_observer/observed_store.h"
#include "test/clients/sqlite_observer/wal_fixture.h"

using outgrown::test::Database;
using outgrown::test::Prepare;
using outgrown::test::Text;
using outgrown::test::WalFixture;

TEST_CASE_FIXTURE(WalFixture, "rows that are read one by one") {
  sqlite3_stmt* statement = Prepare(a, "INSERT INTO t(id) VALUES(2), (3), (4) RETURNING id");
  CHECK(sqlite3_step(statement) == SQLITE_ROW);
  CHECK(Counted() == "{}");
  SUBCASE("to the end") {
    while (sqlite3_step(statement) == SQLITE_ROW) {
    }
    CHECK(Counted() == "{ok: 1}");
    sqlite3_finalize(statement);
  }
  SUBCASE("and no further, then reset") {
    sqlite3_reset(statement);
    CHECK(Counted() == "{ok: 1}");
    sqlite3_finalize(statement);
  }
  SUBCASE("and no further, then finalized") {
    sqlite3_finalize(statement);
    CHECK(Counted() == "{ok: 1}");
  }
  SUBCASE("while another statement writes: one transaction") {
    CHECK(a.Run("INSERT INTO t(id) VALUES(5)") == SQLITE_OK);
    CHECK(Counted() == "{}");
    sqlite3_finalize(statement);
    CHECK(Counted() == "{ok: 1}");
  }
  SUBCASE("while another statement fails") {
    CHECK(a.Run("INSERT INTO t(id) VALUES(1)") == SQLITE_CONSTRAINT_PRIMARYKEY);
    sqlite3_finalize(statement);
    CHECK(Counted() == "{ok: 1}");
  }
  CHECK(a.Run("INSERT INTO t(id) VALUES(6)") == SQLITE_OK);
  CHECK(Counted() == "{ok: 1}");
  CHECK(store.TracesLost() == 0);
}

TEST_CASE_FIXTURE(WalFixture,
                  "what a reset between two rows ends counts at the next event, whatever that is") {
  REQUIRE(a.Run("PRAGMA journal_mode = DELETE") == SQLITE_OK);
  store.NewEnds();
  // Nothing but the connection's close, at last.
  for (const char* const next : {"SELECT 1", "BEGIN; COMMIT", "DELETE FROM t WHERE id = 9", ""}) {
    for (const bool is_refused : {false, true}) {
      CAPTURE(std::string(next));
      CAPTURE(is_refused);
      Database writer(store.path());
      sqlite3_stmt* statement = Prepare(writer, is_refused ? "INSERT INTO t(id) VALUES(2), (3) RETURNING id"
                                                           : "UPDATE t SET bytes = bytes RETURNING id");
      // A commit that a reader refuses, without a word; and one without a change.
      if (is_refused) CHECK(a.Run("BEGIN; SELECT * FROM t") == SQLITE_OK);
      CHECK(sqlite3_step(statement) == SQLITE_ROW);
      sqlite3_finalize(statement);
      CHECK(Text(store.NewEnds()) == "{}");
      if (is_refused) CHECK(a.Run("COMMIT") == SQLITE_OK);
      const bool deletes = *next == 'D';
      CHECK(writer.Run(next) == SQLITE_OK);
      writer.Close();
      std::string counted = is_refused ? "{busy: 1}" : "{unchanged: 1}";
      if (deletes) counted = is_refused ? "{busy: 1, unchanged: 1}" : "{unchanged: 2}";
      CHECK(Text(store.NewEnds()) == counted);
    }
  }
}

TEST_CASE_FIXTURE(WalFixture, "writes while a SELECT is suspended are writes of their own") {
  sqlite3_stmt* statement = Prepare(a, "SELECT * FROM t");
  CHECK(sqlite3_step(statement) == SQLITE_ROW);
  CHECK(a.Run("INSERT INTO t(id) VALUES(2); INSERT INTO t(id) VALUES(3)") == SQLITE_OK);
  CHECK(Counted() == "{ok: 2}");
  sqlite3_finalize(statement);
  CHECK(Counted() == "{}");
}

TEST_CASE_FIXTURE(WalFixture, "a prepared statement that has to be compiled again is one write") {
  sqlite3_stmt* statement = Prepare(a, "INSERT INTO t(u) VALUES(?)");
  Database b(store.path());
  for (int i = 10; i < 13; ++i) {
    CHECK(b.Run("CREATE TABLE more" + std::to_string(i) + "(x)") == SQLITE_OK);
    sqlite3_bind_int(statement, 1, i);
    CHECK(sqlite3_step(statement) == SQLITE_DONE);
    sqlite3_reset(statement);
    CHECK(Counted() == "{ok: 2}");
  }
  CHECK(b.Run("DROP TABLE t") == SQLITE_OK);
  CHECK(Counted() == "{ok: 1}");
  CHECK(sqlite3_step(statement) == SQLITE_ERROR);  // no such table: it never ran
  sqlite3_finalize(statement);
  CHECK(b.Run("CREATE TABLE t(x)") == SQLITE_OK);
  CHECK(a.Run("INSERT INTO t VALUES(1)") == SQLITE_OK);
  CHECK(Counted() == "{ok: 2}");
}

TEST_CASE_FIXTURE(WalFixture, "a function that writes inside a SELECT") {
  const auto write = [](sqlite3_context* context, int, sqlite3_value** values) {
    const auto* sql = reinterpret_cast<const char*>(sqlite3_value_text(values[0]));
    sqlite3_result_int(context,
                       sqlite3_exec(sqlite3_context_db_handle(context), sql, nullptr, nullptr, nullptr));
  };
  sqlite3_create_function(a.handle(), "run", 1, SQLITE_UTF8, nullptr, write, nullptr, nullptr);
  CHECK(a.Ask("SELECT run('INSERT INTO t(id) VALUES(2); INSERT INTO t(id) VALUES(3)')") == "0");
  CHECK(Counted() == "{ok: 2}");
  CHECK(a.Ask("SELECT run('INSERT INTO t(id) VALUES(3)')") == "19");
  CHECK(Counted() == "{constraint: 1}");
  CHECK(
      a.Run("BEGIN; SELECT run('INSERT INTO t(id) VALUES(4)'); SELECT run('INSERT INTO t(id) VALUES(4)')") ==
      SQLITE_OK);
  CHECK(Counted() == "{}");
  CHECK(a.Run("COMMIT") == SQLITE_OK);
  CHECK(Counted() == "{ok: 1}");
  CHECK(a.Run("UPDATE t SET u = run('INSERT INTO t(id) VALUES(5)') WHERE id = 1") == SQLITE_OK);
  CHECK(Counted() == "{ok: 1}");
  CHECK(store.TracesLost() == 0);
}

TEST_CASE_FIXTURE(WalFixture, "a write transaction whose reading finds a damaged page has failed") {
  REQUIRE(a.Run("CREATE TABLE big(x); INSERT INTO big VALUES(zeroblob(100000));"
                "PRAGMA wal_checkpoint(TRUNCATE)") == SQLITE_OK);
  std::fstream(store.path(), std::ios::in | std::ios::out | std::ios::binary).seekp(16384)
      << std::string(65536, '\xff');
  Database b(store.path());
  Counted();
  CHECK(b.Run("BEGIN IMMEDIATE") == SQLITE_OK);
  CHECK(b.Run("SELECT x || '' FROM big") == SQLITE_CORRUPT);
  CHECK(b.Run("ROLLBACK") == SQLITE_OK);
  CHECK(Counted() == "{corrupt: 1}");
}

TEST_CASE_FIXTURE(WalFixture, "a statement that is interrupted has failed") {
  sqlite3_progress_handler(
      a.handle(), 10, [](void*) { return 1; }, nullptr);
  constexpr const char* kLong =
      "INSERT INTO t(u) WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n LIMIT 1000) SELECT i "
      "FROM n";
  SUBCASE("alone") {
    CHECK(a.Run(kLong) == SQLITE_INTERRUPT);
    CHECK(Counted() == "{other: 1}");
  }
  SUBCASE("inside a transaction, which goes with it") {
    sqlite3_progress_handler(a.handle(), 0, nullptr, nullptr);
    CHECK(a.Run("BEGIN; INSERT INTO t(id) VALUES(2)") == SQLITE_OK);
    sqlite3_progress_handler(
        a.handle(), 10, [](void*) { return 1; }, nullptr);
    CHECK(a.Run(kLong) == SQLITE_INTERRUPT);
    CHECK(sqlite3_get_autocommit(a.handle()) == 1);
    CHECK(Counted() == "{other: 1}");
  }
}

TEST_CASE_FIXTURE(WalFixture, "a write that waits for the lock is in flight, and the wait is part of it") {
  Database b(store.path());
  REQUIRE(b.Run("BEGIN IMMEDIATE; INSERT INTO t(id) VALUES(2)") == SQLITE_OK);
  struct Waiting {
    WalFixture* fixture;
    Database* holder;
    std::uint64_t in_flight = 0;
  } waiting = {this, &b};
  sqlite3_busy_handler(
      a.handle(),
      [](void* context, int count) {
        auto* to = static_cast<Waiting*>(context);
        if (count < 3) return sqlite3_sleep(10), 1;
        to->in_flight = to->fixture->store.InFlight();
        return to->holder->Run("COMMIT") == SQLITE_OK ? 1 : 0;
      },
      &waiting);
  const std::uint64_t before_ns = store.DurationSumNs();
  CHECK(a.Run("INSERT INTO t(id) VALUES(3)") == SQLITE_OK);
  CHECK(waiting.in_flight == 1);  // one thread shows one write, the older
  CHECK(Counted() == "{ok: 2}");
  CHECK(store.InFlight() == 0);
  CHECK(store.DurationSumNs() - before_ns >= 2 * 30'000'000U);  // both lasted for the three sleeps
}
