// Several databases of one connection, several connections of one cache, and which of them are ignored.
#include <dlfcn.h>

#include <string>

#include <doctest/doctest.h>

#include "test/clients/sqlite_observer/observed_store.h"
#include "test/clients/sqlite_observer/wal_fixture.h"

using outgrown::test::Database;
using outgrown::test::ObservedStore;
using outgrown::test::Text;
using outgrown::test::WalFixture;

TEST_CASE_FIXTURE(WalFixture, "each attached database counts for its own store") {
  ObservedStore other;
  CHECK(a.Run("ATTACH '" + other.path() + "' AS other; CREATE TABLE other.x(y UNIQUE)") == SQLITE_OK);
  CHECK(Counted() == "{}");
  CHECK(Text(other.NewCounts()) == "{ok: 1}");
  CHECK(a.Run("BEGIN; INSERT INTO t(id) VALUES(2); INSERT INTO x VALUES(1); COMMIT") == SQLITE_OK);
  CHECK(Counted() == "{ok: 1}");
  CHECK(Text(other.NewCounts()) == "{ok: 1}");
  CHECK(a.Run("INSERT INTO x VALUES(1)") == SQLITE_CONSTRAINT_UNIQUE);
  CHECK(Counted() == "{}");
  CHECK(Text(other.NewCounts()) == "{constraint: 1}");
  CHECK(a.Run("DETACH other; INSERT INTO t(id) VALUES(3)") == SQLITE_OK);
  CHECK(Counted() == "{ok: 1}");
  CHECK(a.Run("ATTACH '" + other.path() + "' AS again; INSERT INTO again.x VALUES(2)") == SQLITE_OK);
  CHECK(Text(other.NewCounts()) == "{ok: 1}");
  Database memory(":memory:");
  CHECK(memory.Run("-- one\n /* two */ attach '" + other.path() +
                   "' AS third; INSERT INTO third.x VALUES(3)") == SQLITE_OK);
  CHECK(Text(other.NewCounts()) == "{ok: 1}");
  CHECK(memory.Run("CREATE TABLE mine(x); INSERT INTO mine VALUES(1)") == SQLITE_OK);
  CHECK(Text(other.NewCounts()) == "{}");
}

TEST_CASE_FIXTURE(WalFixture,
                  "the lock of an attached database that is refused is no failure of the main one") {
  for (const std::string mode : {"wal", "delete"}) {
    ObservedStore other;
    CHECK(a.Run("ATTACH '" + other.path() + "' AS other; PRAGMA other.journal_mode = " + mode +
                "; CREATE TABLE other.x(y)") == SQLITE_OK);
    other.NewCounts();
    Database rival(other.path());
    CHECK(rival.Run("BEGIN IMMEDIATE") == SQLITE_OK);
    CHECK(a.Run("INSERT INTO x VALUES(1)") == SQLITE_BUSY);
    CHECK(Counted() == "{}");
    CHECK(Text(other.NewCounts()) == "{busy: 1}");
    CHECK(rival.Run("ROLLBACK") == SQLITE_OK);
    CHECK(a.Run("DETACH other") == SQLITE_OK);
  }
}

TEST_CASE("a transaction over several files is one write in each that it changed, in every journal mode") {
  for (const std::string mode : {"wal", "delete", "truncate", "persist", "memory"}) {
    CAPTURE(mode);
    // Each is made just before its file is opened: it says where that one's block goes.
    ObservedStore first;
    Database a(first.path());
    ObservedStore second;
    REQUIRE(a.Run("ATTACH '" + second.path() + "' AS b") == SQLITE_OK);
    ObservedStore third;
    REQUIRE(a.Run("ATTACH '" + third.path() + "' AS c") == SQLITE_OK);
    for (const char* schema : {"main", "b", "c"}) {
      CHECK(a.Ask("PRAGMA " + std::string(schema) + ".journal_mode = " + mode) == mode);
      REQUIRE(a.Run("CREATE TABLE " + std::string(schema) + ".t(x UNIQUE)") == SQLITE_OK);
    }
    const auto counted = [&] {
      return Text(first.NewCounts()) + Text(second.NewCounts()) + Text(third.NewCounts());
    };
    counted();
    CHECK(a.Run("BEGIN; INSERT INTO main.t VALUES(1); INSERT INTO b.t VALUES(1); INSERT INTO c.t VALUES(1); "
                "COMMIT") == SQLITE_OK);
    CHECK(counted() == "{ok: 1}{ok: 1}{ok: 1}");
    CHECK(
        a.Run("BEGIN; INSERT INTO main.t VALUES(2); INSERT INTO c.t VALUES(2); SELECT * FROM b.t; COMMIT") ==
        SQLITE_OK);
    CHECK(counted() == "{ok: 1}{}{ok: 1}");
    CHECK(a.Run("BEGIN; INSERT INTO main.t VALUES(3); INSERT INTO b.t VALUES(3); ROLLBACK") == SQLITE_OK);
    CHECK(counted() == "{}{}{}");
    CHECK(a.Run("INSERT INTO c.t SELECT x + 10 FROM main.t") == SQLITE_OK);
    CHECK(counted() == "{}{}{ok: 1}");
    CHECK(first.TracesLost() + second.TracesLost() + third.TracesLost() == 0);
  }
}

TEST_CASE_FIXTURE(WalFixture, "connections that share a cache are counted each") {
  const std::string shared = "file:" + store.path() + "?cache=shared";
  a.Close();
  Database b(shared);
  Database c(shared);
  CHECK(b.Run("INSERT INTO t(id) VALUES(2)") == SQLITE_OK);
  CHECK(c.Run("INSERT INTO t(id) VALUES(3)") == SQLITE_OK);
  CHECK(Counted() == "{ok: 2}");
  CHECK(b.Run("BEGIN; INSERT INTO t(id) VALUES(4)") == SQLITE_OK);
  CHECK(c.Run("INSERT INTO t(id) VALUES(5)") == SQLITE_LOCKED_SHAREDCACHE);
  CHECK(Counted() == "{busy: 1}");
  CHECK(b.Run("COMMIT") == SQLITE_OK);
  CHECK(c.Run("BEGIN; INSERT INTO t(id) VALUES(5)") == SQLITE_OK);
  b.Close();
  CHECK(c.Run("COMMIT; UPDATE t SET u = 1 WHERE 0") == SQLITE_OK);
  CHECK(Counted() == "{ok: 2}");
  CHECK(store.TracesLost() == 0);
}

TEST_CASE_FIXTURE(WalFixture, "a connection that is ignored is not counted, until it is observed again") {
  CHECK(a.Run("BEGIN; INSERT INTO t(id) VALUES(2)") == SQLITE_OK);
  SUBCASE("by SQL") { CHECK(a.Ask("SELECT outgrown_ignore()") == "1"); }
  SUBCASE("by the C function") {
    void* extension = ::dlopen(OUTGROWN_EXTENSION, RTLD_NOW | RTLD_NOLOAD);
    REQUIRE(extension != nullptr);
    const auto ignore = reinterpret_cast<int (*)(sqlite3*)>(::dlsym(extension, "outgrown_observer_ignore"));
    CHECK(ignore(a.handle()) == 0);
    CHECK(ignore(nullptr) == 1);
    ::dlclose(extension);
  }
  CHECK(a.Run("COMMIT") == SQLITE_OK);
  CHECK(a.Run("INSERT INTO t(id) VALUES(1)") == SQLITE_CONSTRAINT_PRIMARYKEY);
  CHECK(Counted() == "{}");
  CHECK(store.InFlight() == 0);
  CHECK(store.TracesLost() == 0);
  CHECK(a.Ask("SELECT outgrown_status()") == "not counting: ignored");
  a.Ask("SELECT outgrown_observe()");
  CHECK(a.Run("INSERT INTO t(id) VALUES(4)") == SQLITE_OK);
  CHECK(Counted() == "{ok: 1}");
}

TEST_CASE_FIXTURE(WalFixture, "one database of a connection can be ignored while the others are counted") {
  ObservedStore other;
  CHECK(a.Ask("SELECT outgrown_ignore('MAIN')") == "1");
  CHECK(a.Run("ATTACH '" + other.path() + "' AS other; CREATE TABLE other.x(y UNIQUE)") == SQLITE_OK);
  CHECK(a.Run("BEGIN; INSERT INTO t(id) VALUES(2); INSERT INTO x VALUES(1); COMMIT") == SQLITE_OK);
  CHECK(a.Run("INSERT INTO t(id) VALUES(2)") == SQLITE_CONSTRAINT_PRIMARYKEY);
  CHECK(Counted() == "{}");
  CHECK(Text(other.NewCounts()) == "{ok: 2}");
  CHECK(a.Ask("SELECT outgrown_status()").starts_with("counting other as store"));
  CHECK(a.Run("SELECT outgrown_ignore(NULL)") == SQLITE_ERROR);
  a.Ask("SELECT outgrown_observe()");
  CHECK(a.Run("INSERT INTO t(id) VALUES(2)") == SQLITE_CONSTRAINT_PRIMARYKEY);
  CHECK(Counted() == "{constraint: 1}");
}

TEST_CASE_FIXTURE(WalFixture,
                  "in a shared cache one connection's database is ignored and the other's counted") {
  a.Close();
  Database b("file:" + store.path() + "?cache=shared");
  Database c("file:" + store.path() + "?cache=shared");
  CHECK(b.Ask("SELECT outgrown_ignore('main')") == "1");
  CHECK(b.Run("INSERT INTO t(id) VALUES(2)") == SQLITE_OK);
  CHECK(c.Run("INSERT INTO t(id) VALUES(3)") == SQLITE_OK);
  CHECK(b.Run("INSERT INTO t(id) VALUES(3)") == SQLITE_CONSTRAINT_PRIMARYKEY);
  CHECK(Counted() == "{ok: 1}");
  CHECK(store.TracesLost() == 0);
}
